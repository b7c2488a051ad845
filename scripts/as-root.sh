# To be sourced: `as_root COMMAND…` runs a command as root, with sudo when needed and with pip's and proxies' settings.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
        return
    fi
    command -v sudo >/dev/null || { echo "this needs root, or sudo: $*" >&2; return 1; }
    sudo --preserve-env=PIP_INDEX_URL,PIP_EXTRA_INDEX_URL,PIP_TRUSTED_HOST,PIP_CERT,SSL_CERT_FILE,http_proxy,https_proxy,no_proxy,CI \
        env "PATH=$PATH" "$@"
}
