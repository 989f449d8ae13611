"""Sec-WebSocket-Extensions: the grammar against a naive twin and against the npm package ws, and hostile headers."""

import string
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.wire.extensions import MAX_ITEMS, Offer, offers
from tests.wire.ws_package import Refused, ws_package

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters


@pytest.fixture(scope="module")
def ws():
    with ws_package() as peer:
        yield peer


class Twin:
    """The grammar of RFC 6455 section 9.1, a character at a time."""

    def __init__(self, text):
        self.rest = list(text)

    def taken(self, characters):
        found = ""
        while self.rest and self.rest[0] in characters:
            found += self.rest.pop(0)
        return found

    def took(self, character):
        self.taken(" \t")
        if self.rest[:1] == [character]:
            self.rest.pop(0)
            self.taken(" \t")
            return True
        return False

    def token(self):
        found = self.taken(TOKEN_CHARACTERS)
        if not found:
            raise ValueError
        self.taken(" \t")
        return found

    def quoted(self):
        found = ""
        self.rest.pop(0)
        while self.rest[:1] != ['"']:
            if self.rest[:1] == ["\\"]:
                self.rest.pop(0)
            if not self.rest:
                raise ValueError
            found += self.rest.pop(0)
        self.rest.pop(0)
        self.taken(" \t")
        if not found or set(found) - set(TOKEN_CHARACTERS):
            raise ValueError
        return found

    def extension(self):
        offer = (self.token(), [])
        while self.took(";"):
            name, value = self.token(), None
            if self.took("="):
                value = self.quoted() if self.rest[:1] == ['"'] else self.token()
            offer[1].append((name, value))
        return offer

    def read(self):
        found = []
        self.taken(" \t,")
        while self.rest:
            found.append(self.extension())
            if self.rest and self.rest[0] != ",":
                raise ValueError
            self.taken(" \t,")
        return found


def twin(text):
    try:
        return Twin(text).read()
    except ValueError:
        return []


pieces = st.sampled_from(
    [*'ab,;= \t"\\', "permessage-deflate", "; x=1", '; y="2"', ', z; q="\\3"', "\x7f", "\xe9", "\n"]
)


@given(st.lists(pieces, max_size=30).map("".join) | st.text(max_size=10))
def test_any_header_is_what_the_twin_reads(text):
    assert offers([text]) == twin(text)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        (" , \t,", []),
        ("a", [("a", [])]),
        ("a, b,,c", [("a", []), ("b", []), ("c", [])]),
        (" a ; x ;\ty = 1 , b", [("a", [("x", None), ("y", "1")]), ("b", [])]),
        ('a; x="10"', [("a", [("x", "10")])]),
        ('a; x="\\1\\0"', [("a", [("x", "10")])]),
        ("a; x; x=1; x", [("a", [("x", None), ("x", "1"), ("x", None)])]),
        (
            "a; __proto__=1; constructor; toString",
            [("a", [("__proto__", "1"), ("constructor", None), ("toString", None)])],
        ),
        ("A; X=Y", [("A", [("X", "Y")])]),
    ],
)
def test_headers(header, expected):
    assert offers([header]) == [Offer(*offer) for offer in expected]


@pytest.mark.parametrize(
    "header",
    [
        ";", "a;", "a; ;b", "a b", "a; x y", "a; x=", "a; =1", "a; x==1", "a=1", '"a"', "a, b;", "a; b, (c)",
        'a; x="', 'a; x=""', 'a; x="1', 'a; x="1\\', 'a; x="1"2', 'a; x="1 "', 'a; x="\\"1"', 'a; x="\x00"', "a\x00",
        "a; x=\xe9", "a\r\n", "a;\nx",
    ],
)  # fmt: skip
def test_what_breaks_the_grammar_takes_all_offers_with_it(header):
    assert offers([header]) == []
    assert offers(["fine; x=1", header]) == []
    assert offers([header, "fine"]) == []


def test_several_headers_are_one_list():
    assert offers(["a; x", "b, c"]) == offers(["a; x, b, c"]) != []
    assert offers([]) == []
    assert offers(['a; x="', '"']) == [], "a comma is no value"


@given(
    st.lists(
        st.tuples(
            st.text(TOKEN_CHARACTERS, min_size=1, max_size=5),
            st.lists(
                st.tuples(st.text("abc", min_size=1, max_size=2), st.none() | st.text(TOKEN_CHARACTERS, min_size=1))
            ),
        ),
        max_size=4,
    )
)
def test_ws_reads_the_same(ws, given_offers):
    """The package groups by name, loses empty elements and refuses quoted blanks as we do."""
    header = ", ".join(
        "; ".join([name, *(key if value is None else f'{key}="{value}"' for key, value in parameters)])
        for name, parameters in given_offers
    )
    if not header or header.count(",") + header.count(";") > MAX_ITEMS:
        return
    expected = defaultdict(list)
    for name, parameters in offers([header]):
        grouped = defaultdict(list)
        for key, value in parameters:
            grouped[key].append(True if value is None else value)
        expected[name].append(grouped)
    assert ws.ask("parse", header) == expected


@pytest.mark.parametrize("header", ["a;", "a; x=", 'a; x="1', "a b", "a; x=\xe9", '"a"'])
def test_ws_refuses_the_same(ws, header):
    with pytest.raises(Refused):
        ws.ask("parse", header)
    assert offers([header]) == []


MANY = 2**20


@pytest.mark.parametrize(
    "header",
    [
        ";" * MANY,
        "a" + ";" * MANY,
        "a; " * MANY,
        "a," * MANY,
        "," * MANY,
        "a" + " " * MANY + "!(",
        "a;" + " " * MANY + "(",
        "a;b" + " " * MANY + "(",
        "a;b=" + " " * MANY + "(",
        "a;b=c" + " " * MANY + "(",
        "a" * MANY + "(",
        "a;" + "b" * MANY + "(",
        "a;b=" + "c" * MANY + "(",
        'a;b="' + "\\a" * MANY,
        'a;b="' + "\\" * (MANY + 1),
        'a;b="' + "c" * MANY,
        'a;b="' + "c" * MANY + '"(',
        'a;b="' + "\\(" * MANY + '"',
    ],
    ids=lambda header: header[:6] + header[-2:],
)
@pytest.mark.timeout(20)
def test_hostile_headers_offer_nothing_in_linear_time(header):
    """A megabyte each: what went over it twice for every character would never end."""
    assert offers([header]) == []


def test_more_than_anyone_needs_is_not_read():
    assert len(offers([",".join("a" * (MAX_ITEMS + 1))])) == MAX_ITEMS + 1
    assert offers([",".join("a" * (MAX_ITEMS + 2))]) == []
    assert offers(["a" + ";x" * MAX_ITEMS]) != []
    assert offers(["a" + ";x" * (MAX_ITEMS + 1)]) == []
