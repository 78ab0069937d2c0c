"""The Triton kernels: against their twin in a process of their own, compiled for GPUs, and absent."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from flatten_edu.functional.focused import triton
from flatten_edu.functional.focused.triton import focused_attention_triton

ROOT = Path(__file__).parent.parent.parent
HAS_TRITON = importlib.util.find_spec("triton") is not None
needs_triton = pytest.mark.skipif(
    not HAS_TRITON, reason="Triton is not installed: the kernels can neither run nor compile"
)
# Shared memory a program may have on the smallest of the GPUs that the kernels serve (capability 8.6, 8.9, 12.0).
SHARED_MEMORY = 99 * 1024


def arguments(dtype=torch.float32, n=196, heads=2, d=4, p=3):
    q, k, v = torch.randn(2, n, 3 * heads * d).to(dtype).chunk(3, dim=-1)
    return q, k, v, torch.ones(heads * d), torch.zeros(1, n, heads * d), heads, p, 1e-6


def run_twins(interpreted: bool):
    """`triton_twins.py` by a pytest of its own. No conftest: that one empties the outer run's list of figures."""
    environment = os.environ | ({"TRITON_INTERPRET": "1"} if interpreted else {})
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, Path(__file__).with_name("triton_twins.py")],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_triton
@pytest.mark.slow
def test_equal_their_twin_under_the_interpreter():
    run_twins(interpreted=True)


@needs_triton
@pytest.mark.gpu
@pytest.mark.skipif(
    not torch.cuda.is_available() or torch.cuda.get_device_capability() < triton.CAPABILITY,
    reason="needs a CUDA device of capability 8.0 or later: none here",
)
def test_equal_their_twin_on_the_device():
    run_twins(interpreted=False)


class Driver:
    """As much of a driver as the compiler asks for, on a machine that need not have the GPU."""

    def __init__(self, capability):
        from triton.backends.compiler import GPUTarget

        self.target = GPUTarget("cuda", capability, 32)

    def get_current_target(self):
        return self.target

    def get_current_device(self):
        return 0

    def get_current_stream(self, device):
        return 0


@pytest.fixture
def compiled(monkeypatch, tmp_path):
    """Have the kernels compiled instead of launched: {name: what the compiler made}."""
    from triton.runtime import driver
    from triton.runtime.jit import JITFunction

    made = {}

    def compile_for(capability):
        driver.set_active(Driver(capability))
        return made

    def launch(kernel, grid):
        def compile_only(*args, **kwargs):
            made[kernel.__name__] = kernel.run(*args, grid=grid, warmup=True, **kwargs)

        return compile_only

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(JITFunction, "__getitem__", launch)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(multi_processor_count=132))
    yield compile_for
    driver._active = None


@needs_triton
@pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter compiles nothing")
@pytest.mark.parametrize(
    ("capability", "dtype", "n", "heads", "d", "p"),
    [
        (90, torch.bfloat16, 196, 3, 64, 3),
        (90, torch.float32, 196, 3, 64, 2.5),
        (86, torch.float16, 196, 3, 80, 0.5),
        (80, torch.float32, 1, 1, 1, 32),  # Triton treats a 1 among the arguments as a constant
    ],
)
def test_compile_and_fit_into_shared_memory(compiled, capability, dtype, n, heads, d, p):
    """With two things that the interpreter cannot show: float32 is not rounded to TF32, and a NaN passes ReLU."""
    from flatten_edu.functional.focused.kernels import launch

    problem = triton._problem(*arguments(dtype, n, heads, d, p))
    made = compiled(capability)
    out, kept = launch.forward(problem)
    launch.backward(problem, kept, out, *(torch.empty_like(out) for _ in range(3)))
    assert len(made) == 6
    assert {
        name: kernel.metadata.shared for name, kernel in made.items() if kernel.metadata.shared > SHARED_MEMORY
    } == {}
    assert all(kernel.asm["cubin"] and "max.NaN" in kernel.asm["ptx"] for kernel in made.values())
    assert any("tf32" in kernel.asm["ptx"] for kernel in made.values()) == (dtype == torch.float16)


def test_a_cpu_is_told_why_not():
    with pytest.raises(ValueError, match=r"needs a CUDA device, or TRITON_INTERPRET=1 in the environment; got cpu"):
        focused_attention_triton(*arguments())


def test_without_triton_the_answer_is_no(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setitem(sys.modules, "triton", None)
    for name in [name for name in sys.modules if name.startswith("flatten_edu.functional.focused.kernels")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(triton, "_machine_refusal", triton._machine_refusal.__wrapped__)
    with pytest.raises(ValueError, match="focused_attention_triton needs Triton"):
        focused_attention_triton(*arguments())


def test_a_triton_that_does_not_run_is_told_of(monkeypatch):
    """One without a C compiler, for instance."""

    def fails(problem):
        raise RuntimeError("Failed to find C compiler")

    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(triton, "_kernels", lambda: SimpleNamespace(forward=fails, Problem=lambda *_: None))
    monkeypatch.setattr(triton, "_machine_refusal", triton._machine_refusal.__wrapped__)
    with pytest.raises(ValueError, match=r"needs a Triton that runs on cpu \(Failed to find C compiler\)"):
        focused_attention_triton(*arguments())


def test_importing_the_library_does_not_import_triton():
    program = "import sys, flatten_edu.nn, flatten_edu.functional.focused.triton; assert 'triton' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
