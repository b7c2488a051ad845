import Testing

/// The counter of lines, tried on small pieces.
@Suite struct CounterTests {
    @Test func `Swift functions are found in spite of braces in literals and comments`() {
        let source = """
            struct A {
                init?(_ text: String) { return nil }
                func one() -> String { "{\\(two("}"))" }
                // func comment() {
                private static func two(
                    _ text: String
                ) -> Int {
                    /* { */
                    1
                }
                deinit {
                }
            }
            protocol P {
                func three()
                func four()
            }
            func `a raw } name`() {
            }
            """
        let found = FunctionLengths(source, isC: false).functions.map { "\($0.name) \($0.line) \($0.lines)" }
        #expect(found == ["init 2 1", "one 3 1", "two 5 6", "deinit 11 2", "a raw identifier 18 2"])
    }

    @Test func `C functions are found, tables and structures are not`() {
        let source = """
            struct box { int used; };
            static const int table[] = { 1, 2 };
            static int one(void) { return '{'; }
            int two(int a,
                    int b)
            {
                if (a) { return b; }
                return 0; /* } */
            }
            """
        let found = FunctionLengths(source, isC: true).functions.map { "\($0.name) \($0.line) \($0.lines)" }
        #expect(found == ["one 3 1", "two 4 6"])
    }

    @Test func `imports are read with any access level`() {
        let source =
            "public import Billing\ninternal import Glibc\nimport struct Catalog.User // a note\n// import Nothing\n"
        #expect(TidyTests.importedModules(source) == ["Billing", "Glibc", "Catalog"])
    }
}
