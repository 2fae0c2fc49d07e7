"""The HTML report, read by a parser and in a real browser: `scripts/relay/contract_tests/reports/html_report.py`."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from relay.contract.diagnostics import Severity
from relay.contract_tests.coverage import Report
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.reports import PAGE, write_reports
from relay.contract_tests.reports.html_report import OPEN_FAILURES, page
from relay.contract_tests.results import Failure, NotRun, Phase
from support import reported
from support.browsing import Browser, browsing
from support.hosting import put

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\0\ud800\u202egnp]]>"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def written(tmp_path):
    def written(report: Report) -> str:
        write_reports(report, tmp_path, reported.redact)
        return (tmp_path / PAGE).as_uri()

    return written


def hostile() -> Report:
    request = Request(
        "POST", f"{reported.URL}/pets?{HOSTILE}", (("X-A", HOSTILE),), HOSTILE.encode("utf-8", "replace")
    )
    answer = (("content-type", f"text/html; {HOSTILE}"),)
    body = HOSTILE.encode("utf-8", "replace") + b"x" * 2**20
    exchange = Exchange(request, 200, answer, body, HOSTILE, HOSTILE)
    report = reported.violated()
    found = Failure(HOSTILE, HOSTILE + "x" * 2**20, HOSTILE, operation=HOSTILE, exchange=exchange)
    part = Phase(HOSTILE, HOSTILE, failures=[found], notes=[HOSTILE])
    part.not_run = [NotRun(HOSTILE, HOSTILE)]
    report.coverage.cells[0].seen[HOSTILE] = 1
    return replace(report, title=HOSTILE, spec=HOSTILE, parts=[part], reproduce=(HOSTILE,))


# Read as text


def test_a_long_text_is_cut():
    assert len(page(hostile())) < 150_000


def test_the_page_contains_all_text():
    html = page(reported.violated())

    for text in (
        "response-violation",
        "Clients are built on the documented schema of the body.",
        "shown by 7 exchanges",
        "expected 401 or 403",
        "Request as expired token of admin",
        "text/csv: seen by properties (12), examples (1)",
        "needs two runs at once",
        "set OWNER_TOKEN to its token",
        "412 requests to 3 operations, seed 42",
        "2026-03-01 09:30:00 UTC",
        "1 min 13 s",
    ):
        assert text in html, text


def test_shows_the_evidence_of_the_first_failures_only():
    """A hundred open commands would be unreadable; the others need one click."""
    report = reported.violated()
    report.parts[0].failures = report.parts[0].failures[:1] * 100

    assert page(report).count("<details open>") == OPEN_FAILURES


def test_a_part_without_cases_is_not_marked_as_held():
    html = page(reported.violated())

    assert re.search(r'faults <span class="count">not run<', html)
    assert re.search(r'waivers <span class="count">held<', html)


def test_the_page_of_a_large_contract_stays_small():
    """600 operations with six responses each: grids are closed, and the size is acceptable for a browser."""
    html = page(reported.wide(600))

    assert len(html) < 1_000_000
    assert html.count('<details class="group">') == 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_enough_contrast(scheme):
    """Text has a contrast of 4.5 to 1 on its background (WCAG 2.2, 1.4.3)."""
    colours = palettes(page(reported.held()))[scheme]

    for ink in ("ink", "soft", "link", "good", "bad", "mild"):
        for back in ("paper", "panel"):
            assert contrast(colours[ink], colours[back]) >= 4.5, (ink, back)
    for ink in ("good", "bad", "mild"):
        assert contrast(colours[ink], colours[f"{ink}-back"]) >= 4.5, ink
        assert contrast(colours["ink"], colours[f"{ink}-back"]) >= 4.5, ink


def palettes(text: str) -> dict[str, dict[str, str]]:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", block))
        for block in re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    )
    return {"light": light, "dark": dark}


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


# In a browser

VERDICT = "document.querySelector('h1').getBoundingClientRect().bottom <= innerHeight"
WIDTH = "document.documentElement.scrollWidth"


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("made", [reported.held, reported.violated, hostile, lambda: reported.wide(60)])
def test_shows_its_verdict_without_requests(browser, written, made, width):
    """Opened from a disk, at any width: no other file, no console message, no horizontal scrolling."""
    address = written(made())

    browser.open(address, width)

    assert browser.asked == [address]
    assert browser.complaints == []
    assert browser.evaluate("document.title") != "run"
    assert browser.evaluate(VERDICT)
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.evaluate(WIDTH) <= width


def test_the_browser_detects_a_request(browser, tmp_path):
    path = tmp_path / "page.html"
    put(path, "<script>console.error('oh')</script><img src='there.png'><p style='width: 900px'>wide")

    browser.open(path.as_uri(), 360)

    assert (tmp_path / "there.png").as_uri() in browser.asked
    assert any("oh" in complaint for complaint in browser.complaints)
    assert browser.evaluate(WIDTH) > 360


@pytest.mark.parametrize(("scheme", "colour"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 30)")])
def test_follows_the_colour_scheme_of_the_system(browser, written, scheme, colour):
    browser.open(written(reported.violated()), scheme=scheme)

    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == colour


def test_an_operation_stays_visible_when_the_grid_scrolls(browser, written):
    """On a phone the grid scrolls in its own box, and its first column is fixed."""
    browser.open(written(reported.wide(20)), 360)

    left = """(() => {
      const grid = document.querySelector('.grid');
      grid.scrollLeft = 1000;
      const name = grid.querySelector('tbody th').getBoundingClientRect();
      return [grid.scrollLeft, name.left - grid.getBoundingClientRect().left];
    })()"""
    scrolled, offset = browser.evaluate(left)
    assert scrolled > 0
    assert abs(offset) <= 1


def test_a_command_is_selected_as_a_whole(browser, written):
    browser.open(written(reported.violated()))

    text = browser.evaluate(
        "(() => { const one = document.querySelector('.failure .command');"
        "getSelection().selectAllChildren(one); return getSelection().toString(); })()"
    )
    assert text.startswith('curl -i "$URL/pets?limit=2&sort=name" \\\n  -H "Authorization: Bearer $TOKEN"')
    assert browser.evaluate("getComputedStyle(document.querySelector('.command')).userSelect") == "all"


def test_can_be_read_without_colours(browser, written):
    """Headings are in order, there is one main, and each mark has a name."""
    browser.open(written(reported.violated()))

    levels = browser.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((one) => +one.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert browser.evaluate("document.querySelectorAll('main').length") == 1
    assert browser.evaluate("[...document.querySelectorAll('td .cell')].every((one) => one.title)")
    states = browser.evaluate("[...document.querySelectorAll('td .cell b')].map((one) => one.textContent)")
    assert set(states) == {"seen", "waived", "not seen"}
    assert browser.evaluate("document.querySelector('h1').innerText").split() == ["✗", "Violated"]


def test_warnings_alone_do_not_violate(browser, written):
    report = reported.violated()
    report.parts = report.parts[2:]
    assert all(one.severity is Severity.WARNING for one in report.failures)

    browser.open(written(report))

    assert "Held" in browser.evaluate("document.querySelector('h1').innerText")
    assert browser.evaluate("document.querySelectorAll('.failure').length") == 1


def test_printed_pages_show_folded_text(browser, written):
    report = reported.violated()
    report.parts[0].failures = report.parts[0].failures[:1] * (OPEN_FAILURES + 1)
    visible = "[...document.querySelectorAll('.failure .answer')].map((one) => one.checkVisibility())"

    browser.open(written(report))
    on_screen = browser.evaluate(visible)
    browser.open(written(report), media="print")
    on_paper = browser.evaluate(visible)

    assert not all(on_screen)
    assert all(on_paper)
