"""Scripts of a page wait until it is there, in their order, but for those that something on the page needs at once."""

from flatten_edu.publish.mount import defer_scripts


def test_scripts_wait():
    assert defer_scripts('<script src="a.js?v=1"></script>') == '<script defer src="a.js?v=1"></script>'
    assert defer_scripts('<script data-x="1" src="a.js"></script>') == '<script defer data-x="1" src="a.js"></script>'


def test_what_waits_already_or_must_not_stays():
    for page in [
        '<script src="_static/documentation_options.js?v=9"></script>',
        '<script defer src="a.js"></script>',
        '<script type="module" src="mount.js"></script>',
        '<script>let x = 1;</script><p>src="a.js"</p>',
        '<script type="application/json">{"src": "a.js"}</script>',
    ]:
        assert defer_scripts(page) == page
