#!/usr/bin/env python3
"""Installs libtorch 2.11.0 in the user's cache folder and links .libtorch to it.

If LIBTORCH is set, that folder is used unchanged. Otherwise pip downloads the pinned wheels once and checks
their hashes, and their C++ part is unpacked: with the CUDA libraries if there is an NVIDIA driver, without
them otherwise. The script can be interrupted and repeated.
"""
import ctypes
import fcntl
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import zipfile

VERSION = "2.11.0"
HERE = pathlib.Path(__file__).resolve().parent
LINK = HERE.parent / ".libtorch"
# Parts of the torch wheel that are not unpacked: the first list on CPU machines, the second on all.
CUDA_ONLY = ("libtorch_cuda", "libc10_cuda", "libcaffe2_nvrtc", "libtorch_nvshmem")
PYTHON_ONLY = ("libtorch_python", "libshm.so")


def report(text):
    print(f"libtorch: {text}", flush=True)


def has_nvidia_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False


def is_needed(member, cuda):
    parts = pathlib.PurePosixPath(member).parts
    if parts[0] == "nvidia":
        return "lib" in parts and ".so" in parts[-1]
    if parts[:2] == ("torch", "include"):
        return True
    if parts[:2] == ("torch", "lib") and ".so" in parts[-1]:
        return not parts[-1].startswith(PYTHON_ONLY) and (cuda or not parts[-1].startswith(CUDA_ONLY))
    return False


def pinned(requirements):
    """The pinned lines of a requirements file and of those that it includes."""
    for line in requirements.read_text().splitlines():
        if line.startswith("-r "):
            yield from pinned(requirements.parent / line[3:].strip())
        elif line and not line.startswith("#"):
            yield line


def download(requirements, wheels):
    """Downloads one wheel per call, because pip saves its files only when the whole call succeeds. An interrupted
    download therefore resumes at the current wheel. pip checks every hash, also of files that exist already."""
    for line in pinned(requirements):
        one = wheels / "requirement.txt"
        one.write_text(line + "\n")
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir", "--no-deps",
             "--require-hashes", "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11",
             "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_27_x86_64",
             "--platform", "manylinux_2_25_x86_64", "--platform", "manylinux_2_18_x86_64",
             "--platform", "manylinux2014_x86_64", "--platform", "manylinux2010_x86_64",
             "--platform", "manylinux1_x86_64",
             "--progress-bar", "on", "--dest", str(wheels), "--requirement", str(one)],
            check=True,
        )


def unpack(wheels, folder, cuda):
    for wheel in sorted(wheels.glob("*.whl")):
        report(f"unpacking {wheel.name}")
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if not member.endswith("/") and is_needed(member, cuda):
                    archive.extract(member, folder)


def install(folder, variant):
    """Downloads and unpacks beside `folder`, then renames, so that the folder is never incomplete."""
    work = folder.parent / f"{folder.name}.partial"
    wheels = folder.parent / f"{folder.name}.wheels"
    shutil.rmtree(work, ignore_errors=True)
    wheels.mkdir(parents=True, exist_ok=True)
    size = "550 MB" if variant == "cpu" else "about 2.5 GB"
    report(f"downloading the pinned wheels ({size}, once per user) to {folder.parent}")
    download(HERE / f"libtorch-{variant}.txt", wheels)
    unpack(wheels, work, variant == "cuda")
    work.rename(folder)
    shutil.rmtree(wheels)


def link_to(torch):
    """Replaces .libtorch only if its target changes, because cargo rebuilds when it does."""
    if LINK.is_symlink() and pathlib.Path(os.readlink(LINK)) == torch:
        return
    fresh = LINK.with_name(".libtorch.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(torch)
    fresh.replace(LINK)


def main():
    given = os.environ.get("LIBTORCH")
    if given:
        torch = pathlib.Path(given).resolve()
        if not (torch / "lib" / "libtorch_cpu.so").exists():
            sys.exit(f"libtorch: LIBTORCH={given} has no lib/libtorch_cpu.so. "
                     f"Set it to a libtorch {VERSION} folder with include/ and lib/, or unset it to download one.")
        report(f"using LIBTORCH={torch}")
        return link_to(torch)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit(f"libtorch: the pinned wheel is for Linux on x86_64, but this is {platform.system()} on "
                 f"{platform.machine()}. Set LIBTORCH to a libtorch {VERSION} folder with include/ and lib/.")
    # OPTLAB_LIBTORCH_VARIANT overrides the detection in builds for another machine, such as a container image.
    variant = os.environ.get("OPTLAB_LIBTORCH_VARIANT") or ("cuda" if has_nvidia_driver() else "cpu")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "optlab"
    folder = cache / f"libtorch-{VERSION}-{variant}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        # If two clones are set up at once, the second waits here and then finds the folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            try:
                install(folder, variant)
            except subprocess.CalledProcessError as error:
                sys.exit(f"libtorch: pip could not download the pinned wheels (exit status {error.returncode}); "
                         "its message is above. Run the same command again to resume.")
    report(f"{VERSION} ({variant}) in {folder}")
    link_to(folder / "torch")


if __name__ == "__main__":
    main()
