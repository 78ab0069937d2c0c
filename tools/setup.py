"""Make the virtual environment: PyTorch first, then the package with its extras. Needs nothing but Python.

PyTorch goes first because a bare `pip install torch` on Linux brings gigabytes of CUDA, GPU or not.
"""

import argparse
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"


def torch_requirement() -> str:
    """The version of PyTorch that the project was tested with."""
    return next(line.strip() for line in CONSTRAINTS.read_text().splitlines() if line.startswith("torch=="))


def has_nvidia_gpu() -> bool:
    """Whether the NVIDIA driver answers and lists a GPU."""
    tool = shutil.which("nvidia-smi")
    return bool(tool) and "GPU" in subprocess.run([tool, "-L"], capture_output=True, text=True, check=False).stdout


def wants_cpu_build(choice: str) -> bool:
    """Only on Linux does the default build carry CUDA; elsewhere every build is the right one."""
    if choice == "auto":
        return platform.system() == "Linux" and not has_nvidia_gpu()
    return choice == "cpu"


def install_torch(python: Path, choice: str) -> None:
    """Install PyTorch unless some build of it is there already."""
    there = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0
    if there or choice == "none":
        return
    requirement = torch_requirement()
    if wants_cpu_build(choice):
        # uv knows where PyTorch keeps its CPU builds; pip would have to be told a second index.
        pip(python, "install", "--quiet", "uv")
        command = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend", "cpu", requirement]
        print(f"Installing the CPU build of {requirement}", flush=True)
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:
            return
        print("No CPU build could be had from PyTorch's own index: taking what pip finds.", flush=True)
    pip(python, "install", "--quiet", requirement)


def pip(python: Path, *arguments: str) -> None:
    """Run the environment's own pip, and stop with one line where it fails."""
    if subprocess.run([python, "-m", "pip", "--disable-pip-version-check", *arguments], check=False).returncode:
        sys.exit(f"pip {' '.join(arguments)} failed: its own message stands above.")


def make_environment(folder: Path) -> Path:
    """The Python of the virtual environment, which is made if it is not there."""
    python = folder / ("Scripts/python.exe" if platform.system() == "Windows" else "bin/python")
    if not python.exists():
        print(f"Making {folder}", flush=True)
        try:
            venv.create(folder, with_pip=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(folder, ignore_errors=True)
            sys.exit("Python's venv module cannot install pip here. On Debian and Ubuntu: apt-get install python3-venv")
    return python


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--extras", default="book")
    parser.add_argument("--torch", default="auto", choices=["auto", "cpu", "cuda", "none"])
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 (this file runs before anything has checked the version)
        sys.exit(
            f"flatten_edu needs Python 3.11 or later, this is {platform.python_version()}: make PYTHON=python3.12 book"
        )
    python = make_environment(arguments.folder.absolute())
    install_torch(python, arguments.torch)
    print(f"Installing flatten_edu with {arguments.extras}", flush=True)
    pip(python, "install", "--quiet", "-c", str(CONSTRAINTS), "-e", f"{ROOT}[{arguments.extras}]")


if __name__ == "__main__":
    main()
