"""The vendored Plotly is the version that is named, and names no host that it could fetch from."""

import pytest

from tools.plotly_bundle import FOLDER, HOSTS, VERSION, without_hosts


def test_the_bundle_is_the_named_version_without_hosts():
    source = (FOLDER / "plotly-basic.min.js").read_text()
    assert f"plotly.js (basic - minified) v{VERSION}" in source[:200]
    assert not any(host in source for host in HOSTS) and 'topojsonURL:{valType:"string",noBlank:!0,dflt:""}' in source
    assert "MIT License" in (FOLDER / "LICENSE").read_text()


def test_another_bundle_must_be_looked_at():
    assert without_hosts(";".join(HOSTS)) == '"";""'
    for source in (HOSTS[0], ";".join([*HOSTS, HOSTS[1]])):
        with pytest.raises(ValueError, match="not once: look at what it does"):
            without_hosts(source)
