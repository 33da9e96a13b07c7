#!/usr/bin/env python3
"""Puts libtorch 2.11.0 into the user's cache folder and points .libtorch at it.

A LIBTORCH in the environment is used as it is. Otherwise the pinned wheels are downloaded once by pip,
checked by hash, and their C++ part is unpacked: for the CPU alone where there is no NVIDIA driver, with
the CUDA libraries where there is one. Safe to interrupt and to run again.
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
# Of the torch wheel only what a C++ program needs; the first list is left out on CPU machines.
CUDA_ONLY = ("libtorch_cuda", "libc10_cuda", "libcaffe2_nvrtc", "libtorch_nvshmem")
PYTHON_ONLY = ("libtorch_python", "libshm.so")


def say(text):
    print(f"libtorch: {text}", flush=True)


def has_nvidia_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False


def wanted(member, cuda):
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
    """One wheel after another: pip puts its files down only when a whole call succeeds, and an interrupted set-up
    goes on with the wheel that was under way. pip checks every hash, also of a file that is there already."""
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
        say(f"unpacking {wheel.name}")
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if not member.endswith("/") and wanted(member, cuda):
                    archive.extract(member, folder)


def install(folder, variant):
    """Downloads and unpacks beside `folder`, then renames: the folder is there whole or not at all."""
    work = folder.parent / f"{folder.name}.partial"
    wheels = folder.parent / f"{folder.name}.wheels"
    shutil.rmtree(work, ignore_errors=True)
    wheels.mkdir(parents=True, exist_ok=True)
    size = "550 MB" if variant == "cpu" else "about 2.5 GB"
    say(f"downloading the pinned wheels ({size}, once for this user) to {folder.parent}")
    download(HERE / f"libtorch-{variant}.txt", wheels)
    unpack(wheels, work, variant == "cuda")
    work.rename(folder)
    shutil.rmtree(wheels)


def point_link_at(torch):
    """Replaces .libtorch only when it changes: its target is part of what cargo compares."""
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
            sys.exit(f"libtorch: LIBTORCH={given} has no lib/libtorch_cpu.so; "
                     f"point it at a libtorch {VERSION} folder with include/ and lib/, or unset it to have one downloaded")
        say(f"using LIBTORCH={torch}")
        return point_link_at(torch)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit(f"libtorch: the pinned wheel is for Linux on x86_64, this is {platform.system()} on "
                 f"{platform.machine()}; set LIBTORCH to a libtorch {VERSION} folder with include/ and lib/")
    # A build for another machine (a container image) says for which.
    variant = os.environ.get("OPTLAB_LIBTORCH_VARIANT") or ("cuda" if has_nvidia_driver() else "cpu")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "optlab"
    folder = cache / f"libtorch-{VERSION}-{variant}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        # Two clones that are set up at once: the second waits and finds the folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            try:
                install(folder, variant)
            except subprocess.CalledProcessError as error:
                sys.exit(f"libtorch: pip could not download the pinned wheels (exit status {error.returncode}); "
                         "its message is above. Run the same command again to go on.")
    say(f"{VERSION} ({variant}) in {folder}")
    point_link_at(folder / "torch")


if __name__ == "__main__":
    main()
