"""Who sent a request, behind proxies: `relay.server.proxies`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.server.proxies import Origin, TrustedProxies

PROXIES = TrustedProxies(["10.0.0.0/8", "2001:db8::/32"])


def origin(*headers, peer="10.0.0.1", proxies=PROXIES):
    """Return the origin of a request with these header lines."""
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return proxies.origin(
        {"client": (peer, 1) if peer else None, "scheme": "http", "headers": [(b"host", b"inner"), *lines]}
    )


def forwarded_for(value, **rest):
    return origin(("x-forwarded-for", value), **rest).address


ALL = [
    *(("x-forwarded-" + name, value) for name, value in (("for", "192.0.2.1"), ("proto", "https"), ("host", "outer"))),
    ("forwarded", "for=192.0.2.1;proto=https;host=outer"),
]  # fmt: skip


@pytest.mark.parametrize("peer", ["192.0.2.9", None])
@pytest.mark.parametrize("proxies", [TrustedProxies(), PROXIES])
@pytest.mark.parametrize("line", ALL)
def test_nothing_that_an_unknown_peer_says_counts(proxies, line, peer):
    """Any client can send these fields; a peer without an address is not trusted."""
    assert origin(line, peer=peer, proxies=proxies) == Origin(peer, "http", "inner")


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("203.0.113.5, 192.0.2.1", "192.0.2.1"),
        ("203.0.113.5, 192.0.2.1, 10.9.9.9", "192.0.2.1"),
        ("10.9.9.9, 10.8.8.8", "10.9.9.9"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:DB9::1]:4711", "2001:db9::1"),
        ("2001:db9::1", "2001:db9::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, unknown", "10.0.0.1"),
        ("192.0.2.1, 10.9.9.9, 10.0.0.256", "10.0.0.1"),
        ("192.0.2.1, unknown, 10.9.9.9", "10.9.9.9"),
        ("", "10.0.0.1"),
    ],
)
def test_reads_from_the_right_to_the_first_address_that_is_not_a_proxys(field, address):
    """The text left of it was sent by the client."""
    assert forwarded_for(field) == address


def test_several_lines_are_one_list():
    """RFC 9110 section 5.3."""
    lines = [("x-forwarded-for", "203.0.113.5"), ("x-forwarded-for", "192.0.2.1")]
    assert origin(*lines).address == "192.0.2.1"


@given(st.text(st.characters(codec="latin-1")))
def test_a_client_cannot_choose_its_address(text):
    """The trusted proxy adds the true one to all that it sends."""
    assert forwarded_for(f"{text}, 192.0.2.1") == "192.0.2.1"
    assert origin(("forwarded", f"for=192.0.2.1, {text}")).address is not None


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("for=192.0.2.1;proto=https;host=outer", ("192.0.2.1", "https", "outer")),
        ('FOR="[2001:db9::1]:80" ; Proto=HTTPS', ("2001:db9::1", "https", "inner")),
        ("for=203.0.113.5;host=evil, for=192.0.2.1;host=outer, for=10.9.9.9;proto=https", ("192.0.2.1", "https", "outer")),
        ("for=192.0.2.1, for=_hidden", ("10.0.0.1", "http", "inner")),
        ("for=192.0.2.1, for=unknown;proto=https", ("10.0.0.1", "https", "inner")),
        ("garbage", ("10.0.0.1", "http", "inner")),
    ],
)  # fmt: skip
def test_reads_forwarded(field, found):
    """RFC 7239."""
    assert origin(("forwarded", field)) == Origin(*found)


def test_forwarded_does_not_count_next_to_the_other_fields():
    """A proxy that writes X-Forwarded-For passes the client's Forwarded on."""
    lines = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=203.0.113.5;host=evil")]
    assert origin(*lines) == Origin("192.0.2.1", "http", "inner")


@pytest.mark.parametrize(
    ("scheme", "host", "found"),
    [
        ("https", "outer:8443", ("https", "outer:8443")),
        ("HTTPS", "[::1]", ("https", "[::1]")),
        ("http, https", "evil, outer", ("https", "outer")),
        ("javascript", "a b", ("http", "inner")),
        ("", "", ("http", "inner")),
    ],
)
def test_scheme_and_host_are_the_nearest_proxys_if_they_are_valid(scheme, host, found):
    """They become a part of addresses that a service writes."""
    lines = [("x-forwarded-proto", scheme), ("x-forwarded-host", host)]
    assert origin(*lines) == Origin("10.0.0.1", *found)
