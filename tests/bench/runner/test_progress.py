"""What is shown, and that nothing is shown where nobody looks."""

from __future__ import annotations

import pytest

from bench.runner.progress import Status, describe, progress_display


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (Status(0, 0, 0, ()), "0/9 sequences: starting"),
        (Status(40, 1, 0, ("Bolt",)), "1/9 sequences: Bolt"),
        (Status(40, 4, 2, ("a", "b", "c")), "4/9 sequences, 2 failed: a, b, ..."),
    ],
)
def test_one_line_says_it_all(status: Status, line: str) -> None:
    assert describe(status, 9) == line


@pytest.mark.parametrize("wanted", [None, False])
def test_silent_without_a_terminal(wanted: bool | None, capfd: pytest.CaptureFixture[str]) -> None:
    with progress_display(2, 100, wanted) as show:
        show(Status(50, 1, 0, ("Bolt",)))
    assert capfd.readouterr() == ("", "")


def test_shown_when_asked_for(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    with progress_display(2, 100, True) as show:
        show(Status(50, 1, 0, ("Bolt",)))
    out, err = capfd.readouterr()
    assert out == ""
    assert "1/2 sequences: Bolt" in err
    assert "50%" in err
    assert "frames/s" in err
