"""Which version a selector means, and to whom: contract 2.4, row by row."""
from archives import archive
from harness import DaemonCase
from wire import Unix, ask

VERSIONS = (("0.1.0", True), ("0.2.0", False), ("0.3.0", True), ("0.4.0", False))
SELECTORS = (
    # selector, what its owner gets, what a stranger gets
    ("", "0.3.0", "0.3.0"),
    ("/latest", "0.3.0", "0.3.0"),
    ("/latestPrivate", "0.4.0", None),
    ("/0.1.0", "0.1.0", "0.1.0"),
    ("/0.2.0", "0.2.0", None),
    ("/0.3.0", "0.3.0", "0.3.0"),
    ("/0.4.0", "0.4.0", None),
    ("/0.1", "0.1.0", "0.1.0"),
    ("/0.1.x", "0.1.0", "0.1.0"),
    ("/0.1.*", "0.1.0", "0.1.0"),
    ("/0.1.%2A", "0.1.0", "0.1.0"),
    ("/0.2", None, None),
    ("/0.2.x", None, None),
    ("/0.4.*", None, None),
    ("/0", "0.3.0", "0.3.0"),
    ("/0.x", "0.3.0", "0.3.0"),
    ("/0.*", "0.3.0", "0.3.0"),
    ("/HASH 0.1.0", "0.1.0", "0.1.0"),
    ("/HASH 0.2.0", "0.2.0", None),
    ("/HASH 0.3.0", "0.3.0", "0.3.0"),
    ("/HASH 0.4.0", "0.4.0", None),
    ("/UPPER 0.1.0", "0.1.0", "0.1.0"),
    ("/UPPER 0.2.0", "0.2.0", None),
    *((selector, None, None) for selector in (
        "/1", "/1.x", "/1.*", "/1.0.0", "/0.5", "/0.1.1", "/0.1.0.0", "/00.1.0", "/0.01.0", "/v0.1.0", "/0.1.", "/.1.0",
        "/-1", "/x", "/*", "/x.x.x", "/0.x.x", "/0.1.0-beta", "/nonsense", "/ 0.1.0", "/%200.1.0", "/" + "0" * 40,
        "/" + "g" * 40, "/" + "9" * 400, "/0.1.0/0.1.0", "/latest/x", "/%00", "/%ff")),
)


def returns(text):
    return archive({"main.py": f"def apply(_):\n    return {text!r}\n".encode()})


class Selectors(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.hashes = {}
        for number, public in VERSIONS:
            deployed = cls.daemon.post_archive("author/Numbers", returns(number), f"?public={str(public).lower()}").json
            assert deployed["version"] == number, deployed
            cls.hashes[number] = deployed["hash"]
        cls.admin = cls.daemon.user("admin", kind="admin")

    def path(self, selector):
        for word, form in (("HASH ", str), ("UPPER ", str.upper)):
            if selector.startswith("/" + word):
                return "author/numbers/" + form(self.hashes[selector[1 + len(word):]])
        return "author/numbers" + selector.replace(" ", "%20")

    def number(self, path, user, query=""):
        """What the version answered; None when it does not exist for this caller."""
        reply = self.daemon.call(path, "x", user, query=query)
        self.assertEqual(reply.status, 200, reply)
        if "result" in reply.json:
            return reply.result
        self.assertEqual(reply.error["error_type"], "EntityNotFoundError", reply)
        self.assertRegex(reply.error["message"], "^algorithm algo://.* not found$")
        return None

    def test_the_owner_gets_private_versions_by_number_hash_and_name_only(self):
        for selector, owner, _ in SELECTORS:
            with self.subTest(selector):
                self.assertEqual(self.number(self.path(selector), self.author), owner)

    def test_a_stranger_gets_public_versions_only(self):
        for selector, _, stranger in SELECTORS:
            with self.subTest(selector):
                self.assertEqual(self.number(self.path(selector), self.caller), stranger)

    def test_sudo_lets_an_admin_key_resolve_as_the_owner(self):
        for selector, owner, _ in SELECTORS:
            with self.subTest(selector):
                self.assertEqual(self.number(self.path(selector), self.admin, "?sudo=true"), owner)

    def test_sudo_is_nothing_to_other_keys(self):
        for selector, owner, stranger in SELECTORS:
            with self.subTest(selector):
                self.assertEqual(self.number(self.path(selector), self.caller, "?sudo=true"), stranger)

    def test_the_socket_resolves_as_the_owner(self):
        for selector, owner, _ in SELECTORS[:5]:
            reply = ask(Unix(self.daemon.socket_path), "POST", "/v1/algo/" + self.path(selector), b"x",
                        {"Content-Type": "text/plain", "X-Faasd-Account": "caller"})
            self.assert_result(reply, owner)

    def test_an_admin_key_calls_only_with_sudo(self):
        for query in ("", "?sudo=false", "?sudo=", "?sudo=0", "?Sudo=true", "?sudo"):
            with self.subTest(query):
                reply = self.daemon.call("author/numbers", "x", self.admin, query=query)
                self.assert_error(reply, "AuthorizationError", "admin")
        for query in ("?sudo=true", "?sudo=True", "?timeout=9&sudo=true&foo=bar"):
            with self.subTest(query):
                self.assertEqual(self.number("author/numbers/0.4.0", self.admin, query), "0.4.0")

    def test_a_management_key_does_not_call_even_with_sudo(self):
        manager = self.author._replace(key=self.daemon.key("author", "management")["key"])
        reply = self.daemon.call("author/numbers", "x", manager, query="?sudo=true")
        self.assert_error(reply, "AuthorizationError", "management")

    def test_sudo_shows_stdout_and_traces_as_to_the_owner_and_its_user_pays(self):
        self.daemon.deploy("talks", self.author, public=False)
        self.daemon.deploy("raises", self.author, public=False)
        query = "?sudo=true&stdout=true"
        reply = self.daemon.call("author/talks", "x", self.admin, query=query)
        self.assertIn("said x", reply.metadata["stdout"])
        self.assertEqual(self.daemon.usage(reply.call_id)["account"], "admin")
        failed = self.daemon.call("author/raises", "x", self.admin, query=query)
        self.assertIn("Traceback", failed.error["stacktrace"])
        self.daemon.deploy("talks", self.author)
        self.assertNotIn("stdout", self.daemon.call("author/talks", "x", self.caller, query=query).metadata)

    def test_the_latest_of_a_wholly_private_algorithm_is_its_newest_for_the_owner(self):
        for number in ("0.1.0", "0.2.0"):
            self.daemon.post_archive("author/hidden", returns(number), "?public=false")
        for selector, owner in (("", "0.2.0"), ("/latest", "0.2.0"), ("/latestPrivate", "0.2.0"), ("/0.1.0", "0.1.0"),
                                ("/0", None), ("/0.2.x", None)):
            with self.subTest(selector):
                self.assertEqual(self.number("author/hidden" + selector, self.author), owner)
                self.assertIsNone(self.number("author/hidden" + selector, self.caller))

    def test_a_hash_means_the_same_source_whether_public_or_private(self):
        archive = returns("same")  # Once: the time of its making is in it.
        numbers = [self.daemon.post_archive("author/twice", archive, query).json
                   for query in ("?public=true", "?public=false")]
        self.assertEqual(len({deployed["hash"] for deployed in numbers}), 1)
        for user in (self.author, self.caller):
            self.assertEqual(self.number("author/twice/" + numbers[0]["hash"], user), "same")

    def test_names_are_compared_without_case_and_slashes_are_where_clients_put_them(self):
        for path in ("AUTHOR/NUMBERS", "Author/numbers/", "/author/numbers", "author//numbers", "author/numbers//",
                     "author/numbers//0.3.0", "author%2Fnumbers", "author%2fnumbers%2F0.3.x", "%2Fauthor%2Fnumbers%2F",
                     "author/numbers/latest/", "a%75thor/numbers", "author/numbers/0%2E3.0"):
            with self.subTest(path):
                self.assertEqual(self.number(path, self.caller), "0.3.0")

    def test_an_unknown_name_is_told_as_it_was_asked_for(self):
        for path in ("author/Nothing", "nobody/numbers/0.1.x", "author/numbers/nonsense", "AUTHOR/numbers/1.x"):
            reply = self.daemon.call(path, "x", self.caller)
            self.assertEqual(reply.error["message"], f"algorithm algo://{path} not found")
