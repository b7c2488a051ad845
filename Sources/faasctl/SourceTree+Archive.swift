internal import FaasClient

extension SourceTree {
    /// Packs the files as a tar.gz whose bytes depend on names, contents and executable bits only.
    ///
    /// - Returns: the archive, at most 100 MiB.
    /// - Throws: `CommandFailure` when tar fails, for example over a file that vanished meanwhile.
    func archive() async throws(CommandFailure) -> [UInt8] {
        let tool = Tool(
            path: "/usr/bin/tar",
            arguments: [
                "--create", "--file=-", "--directory=\(root)", "--format=gnu", "--use-compress-program=gzip -n",
                "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,a+rX,go-w",
                // Exactly the files that were checked; names are data even when they look like options.
                "--hard-dereference", "--no-recursion", "--null", "--verbatim-files-from", "--files-from=-",
            ]
        )
        let list = paths.map { Array($0.utf8) + [0] }.joined()
        let output = try await tool.run(input: Array(list), outputBytesMax: ClientLimits.archiveBytesMax)
        guard output.status == 0 else {
            let reason = output.errors.split(separator: "\n").first.map(String.init) ?? "status \(output.status)"
            throw CommandFailure(.unreachable, "packing \(root) failed: \(reason)")
        }
        guard output.bytes.count <= ClientLimits.archiveBytesMax else {
            throw CommandFailure(
                .refused,
                "the archive of \(root) is larger than \(ClientLimits.archiveBytesMax >> 20) MiB"
            )
        }
        return output.bytes
    }
}
