"""Each fault that `autotagging doctor` looks for is one line, with what to type."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest

from autotagging.common.versions import version_of
from autotagging.tools import _machine
from autotagging.tools.checks import audio, gpu, machine, packages, project
from autotagging.tools.doctor import doctor
from conftest import ROOT
from source import imported_modules, module_path

REQUIRED = """
[project]
dependencies = ["{}"]
optional-dependencies.pipeline = ["{}"]
"""
PARAMS = {"corpus": "demo", "models": ["crnn"], "train": {"batch_size": 32, "cache": 1.0}}
REPORT = {
    "version": "2.21.0",
    "cuda": True,
    "built": {"cuda_version": "12.5.1", "cuda_compute_capabilities": "['sm_60', 'compute_90']"},
    "gpus": ["9.0"],
    "names": ["NVIDIA H200"],
    "fault": "",
    "libraries": {"libcuda.so.1": "libcuda.so.1", "libcudnn.so.9": "libcudnn.so.9"},
    "loaded": ["driver for CUDA 12.8", "runtime 12.5", "cuDNN 9.3.0"],
    "log": "",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files of a project, without a repository; the lock has NumPy alone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").touch()
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "requirements.lock").write_text(f"numpy=={version_of('numpy')} \\\n    --hash=x\n")
    (tmp_path / "pyproject.toml").write_text(REQUIRED.format("numpy>=1.26", "pandas"))
    shutil.copytree(ROOT / "workflow/schemas", tmp_path / "workflow/schemas")
    monkeypatch.setattr(packages, "GPU_PACKAGE", "no-such-package")
    return tmp_path


@pytest.fixture
def no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(gpu, "_DEVICES", tmp_path)


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """Function that puts a program nvidia-smi in the place of the real one."""

    def put(printed, code=0):
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\necho '{printed}'\nexit {code}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return put


def child(script):
    """A process in the place of the one that loads TensorFlow."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, "-c", script], **pipes)


def test_without_tensorflow_and_git_all_other_lines_are_printed(
    folder, no_gpu, monkeypatch, capsys
):
    monkeypatch.setattr(gpu, "find_spec", lambda name: None)
    monkeypatch.setattr(project, "find_spec", lambda name: name == "snakemake" or None)
    with pytest.raises(SystemExit) as ended:
        doctor()
    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line[4:15].strip() for line in lines if line[0] != " "] == [
        *("folder", "python", "packages", "decoder", "resampler", "processor", "params", "memory"),
        *("disk", "git", "snakemake", "results", "dvc", "tensorflow", "gpu"),
    ]
    faults = [line[4:] for line in lines if line.startswith("FIX")]
    assert faults[:2] == ["git         not installed", "dvc         not installed"]
    assert faults[2] == "tensorflow  not installed"
    assert lines[-2].endswith("-m pip install --require-hashes -r requirements.lock")
    assert lines[-1] == "OK  gpu         no NVIDIA GPU; networks are trained on the CPU"


def test_a_whole_environment_is_ok(folder, monkeypatch, capsys):
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        person = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *person, *command], check=True)
    monkeypatch.setattr(gpu, "nvidia_smi", lambda: ("", ""))
    doctor(quick=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 13
    assert all(line.startswith("OK  ") for line in lines)
    assert any("no file changed since commit" in line for line in lines)


def test_elsewhere_the_folder_is_asked_for(tmp_path, no_gpu, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        doctor(quick=True)
    printed = capsys.readouterr().out
    assert f"FIX folder      {tmp_path} is not the folder of the project\n" in printed
    assert "FIX packages    no requirements.lock here\n" in printed


def test_only_the_report_loads_tensorflow():
    checks = ROOT / "src/autotagging/tools/checks"
    users = [path.name for path in checks.glob("*.py") if "import tensorflow" in path.read_text()]
    assert users == ["tensorflow_report.py"]
    report = module_path("autotagging.tools.checks.tensorflow_report")
    for path in (*checks.glob("*.py"), checks.parent / "doctor.py"):
        assert report not in imported_modules(path)


def test_the_versions_of_python_are_those_of_the_package(monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (low, high) = packages.OLDEST, packages.NEWEST
    assert project["requires-python"] == f">={low[0]}.{low[1]},<{high[0]}.{high[1] + 1}"
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    check = packages.check_python()
    assert "needed: 3.11 to 3.13" in check.text
    assert check.fix == "make PYTHON=python3.12"


def test_other_and_missing_packages_are_named(folder):
    assert packages.check_packages() == ("packages", "1 as in requirements.lock", "")
    lines = "numpy==1.0 \\\npandas==0.1 ; python_version < '4' \\\nno-such-package==1\n"
    (folder / "requirements.lock").write_text(lines)
    (folder / "pyproject.toml").write_text(REQUIRED.format("numpy", "not-there"))
    check = packages.check_packages()
    numpy, pandas = metadata.version("numpy"), metadata.version("pandas")
    assert check.text == (
        f"not-there is not installed; numpy {numpy}, requirements.lock has 1.0; "
        f"pandas {pandas}, requirements.lock has 0.1"
    )
    assert check.fix.endswith("-m pip install --require-hashes -r requirements.lock")


@pytest.mark.parametrize("change", ["sample", "length", "rate"])
def test_a_decoder_that_gives_other_samples_is_named(monkeypatch, change):
    assert audio.check_decoder().fix == ""
    stored = audio._stored()
    stored["decoded"]["every_32nd"][40] += 2e-5 if change == "sample" else 1e-7
    stored["decoded"]["length"] += change == "length"
    stored["sample_rate"] += change == "rate"
    monkeypatch.setattr(audio, "_stored", lambda: stored)
    check = audio.check_decoder()
    expected = {"sample": "differ by up to 2e-05", "length": "4032 samples", "rate": "16000 Hz"}
    assert expected[change] in check.text
    assert check.fix


def test_a_resampler_that_gives_other_samples_is_named(monkeypatch):
    assert audio.check_resampler().fix == ""
    monkeypatch.setattr("soxr.resample", lambda samples, *_, **__: samples[:768])
    assert "resamples otherwise: samples differ by up to" in audio.check_resampler().text


@pytest.mark.parametrize(
    ("name", "edit", "fault"),
    [
        ("params.yaml", ("\ntrain:", "\ntrian:"), "params      params.yaml: top level: "),
        ("params.yaml", ("batch_size: 32", "batch_size: many"), "train.batch_size: 'many' is not"),
        ("params.yaml", ("\ntrain:", "\ntrain: ["), "params      params.yaml, line "),
        ("pyproject.toml", ("[project]", "[project"), "packages    TOMLDecodeError: "),
    ],
)
def test_a_damaged_file_of_the_project_is_one_line(folder, no_gpu, capsys, name, edit, fault):
    text = (folder / name).read_text()
    assert edit[0] in text
    (folder / name).write_text(text.replace(*edit, 1))
    with pytest.raises(SystemExit):
        doctor(quick=True)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if fault in line]
    assert line.startswith("FIX ")


def test_missing_packages_of_the_pipeline_are_named(folder, monkeypatch):
    for name in ("pyproject.toml", "requirements.lock"):
        (folder / name).write_text((ROOT / name).read_text())
    version = packages._version
    monkeypatch.setattr(packages, "_version", lambda name: None if name == "dvc" else version(name))
    assert "dvc is not installed" in packages.check_packages().text


def test_a_library_that_cant_be_loaded_is_one_line(folder, no_gpu, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(SystemExit):
        doctor(quick=True)
    printed = capsys.readouterr().out
    assert "FIX resampler   can't be loaded: import of soxr halted" in printed


@pytest.mark.parametrize(
    ("flags", "found", "fix"),
    [
        ("avx avx2 avx512_bf16", "bf16: train.precision mixed_bfloat16 is fast", ""),
        ("avx avx2 avx512f", "no bf16: train.precision float32 is the fastest", ""),
        ("avx avx2 bf16", "no bf16: train.precision float32 is the fastest", ""),
        ("sse4_2", "without AVX", "use a processor with AVX"),
        (None, "its features are not known", ""),
    ],
)
def test_features_of_the_processor(tmp_path, monkeypatch, flags, found, fix):
    monkeypatch.setattr(_machine, "_CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    if flags:
        (tmp_path / "cpuinfo").write_text(f"model name\t: Made Up\nflags\t\t: {flags}\n")
    check = machine.check_processor()
    assert found in check.text
    assert check.fix.startswith(fix)
    assert bool(check.fix) == bool(fix)


@pytest.mark.parametrize("limited", [".", "slurm", "slurm/job_7"])
@pytest.mark.parametrize(
    ("listed", "folder", "name"),
    [
        ("0::/slurm/job_7", ".", "memory.max"),
        ("0::/", ".", "memory.max"),  # in a container
        ("1:name=systemd:/a:b\n4:cpu,memory:/slurm/job_7", "memory", "memory.limit_in_bytes"),
    ],
)
def test_memory_is_that_of_the_job_or_container(
    tmp_path, monkeypatch, listed, folder, name, limited
):
    limit = tmp_path / folder / ("." if listed == "0::/" else limited) / name
    limit.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(machine, "_MEMORY_INFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_OWN_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    (tmp_path / "groups").write_text(f"{listed}\n")
    (tmp_path / "meminfo").write_text("MemTotal:       16000000 kB\nMemFree:  1 kB\n")
    limit.write_text("max\n")
    assert machine.check_memory(PARAMS) == ("memory", "16.4 GB", "")
    limit.write_text("4000000000\n")
    check = machine.check_memory(PARAMS)
    assert check.text == "4.0 GB; a training on the CPU takes about 5.2"
    assert "train.batch_size" in check.fix
    assert not machine.check_memory({**PARAMS, "models": ["lookup"]}).fix


def test_a_merge_that_is_not_finished_is_named(folder):
    def git(*arguments, check=True):
        author = ("-c", "user.name=A", "-c", "user.email=a@b.c")
        subprocess.run(["git", *author, *arguments], check=check, capture_output=True)

    git("init", "-q", "-b", "main")
    for text, switch in (("a", ()), ("b", ("-q", "-b", "other")), ("c", ("-q", "main"))):
        if switch:
            git("checkout", *switch)
        (folder / "values").write_text(text)
        git("add", "values")
        git("commit", "-q", "-m", text)
    assert not project.check_git().fix
    git("merge", "other", check=False)
    check = project.check_git()
    assert check.text == "a merge is not finished in 1 file, values"
    assert check.fix == "git status"


def test_a_checkout_of_another_user_is_named(folder, monkeypatch):
    subprocess.run(["git", "init", "-q"], check=True)
    assert project.check_git().fix.startswith("git clone")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    check = project.check_git()
    assert check.text.startswith("the folder belongs to another user")
    assert check.fix == f"git config --global --add safe.directory {folder}"


def test_a_driver_that_does_not_answer_is_named(smi, no_gpu, tmp_path, monkeypatch):
    (tmp_path / "nvidia0").touch()
    assert gpu.check_gpu({}).text == f"{tmp_path}/nvidia0 is there, nvidia-smi is not"
    smi("slow'; while :; do :; done; echo '")
    monkeypatch.setattr(gpu, "_ANSWERS", 0.2)
    unseen = {**REPORT, "gpus": []}
    assert gpu.check_gpu(unseen).text == "nvidia-smi does not answer within 0.2 s"
    smi("NVIDIA-SMI has failed because it could not communicate with the driver", code=9)
    check = gpu.check_gpu(unseen)
    assert check.text.startswith("nvidia-smi: NVIDIA-SMI has failed")
    assert check.fix == "load or install NVIDIA's driver; start a container with --gpus all or --nv"


def test_a_gpu_in_use_is_described(smi):
    smi("NVIDIA H200, 570.86")
    check = gpu.check_gpu(REPORT)
    assert check.text == (
        "NVIDIA H200, driver 570.86, compute capability 9.0; "
        "driver for CUDA 12.8, runtime 12.5, cuDNN 9.3.0"
    )
    assert not check.fix
    assert gpu.check_gpu({}).text == "NVIDIA H200, driver 570.86; TensorFlow was not asked"
    old = gpu.check_gpu({**REPORT, "gpus": ["5.2"]})
    assert "TensorFlow is built for 6.0 and higher" in old.text
    assert old.fix == "export CUDA_VISIBLE_DEVICES=-1"
    new = gpu.check_gpu({**REPORT, "gpus": ["12.0"], "fault": "CUDA_ERROR_INVALID_HANDLE"})
    assert "built for CUDA 12.5.1, and a GPU of 10.0 or higher needs 12.8" in new.text
    assert new.fix == "export CUDA_VISIBLE_DEVICES=-1"
    later = {**REPORT["built"], "cuda_version": "12.8.0"}
    assert not gpu.check_gpu({**REPORT, "gpus": ["12.0"], "built": later}).fix
    full = gpu.check_gpu({**REPORT, "fault": "out of memory"})
    assert full.text.endswith("; a product of matrices fails: out of memory")
    assert full.fix.startswith("nvidia-smi (is its memory in use?); to train on the CPU: ")


def test_a_gpu_that_tensorflow_alone_finds_is_described(no_gpu):
    """As in WSL2, where there is no /dev/nvidia0."""
    check = gpu.check_gpu(REPORT)
    assert check.text.startswith("NVIDIA H200, compute capability 9.0; driver for CUDA 12.8")
    assert not check.fix


GONE = {**REPORT["libraries"], "libcudnn.so.9": "not found: no such file"}
NO_DRIVER = {**GONE, "libcuda.so.1": "not found: no such file"}
NONE = "E0000 00:00:1.0 1 x.cc:51] failed call to cuInit: CUDA_ERROR_NO_DEVICE: none detected\n"
LOG = "2026 I0000 x.cc:1] starts\n2026: E external/x.cc:274] failed call to cuInit: ERROR 803\n"


@pytest.mark.parametrize(
    ("report", "hidden", "why", "fix"),
    [
        ({}, "none", "CUDA_VISIBLE_DEVICES is 'none'", "unset CUDA_VISIBLE_DEVICES"),
        ({"log": NONE}, "1", "CUDA_VISIBLE_DEVICES is '1'", "unset CUDA_VISIBLE_DEVICES"),
        ({"log": NONE}, "GPU-dead", "CUDA_VISIBLE_DEVICES is 'GPU-", "unset CUDA_VISIBLE_DEVICES"),
        ({"log": NONE}, None, "CUDA_ERROR_NO_DEVICE", "update NVIDIA's driver"),
        ({"cuda": False}, None, "built without CUDA", "-r requirements-gpu.lock"),
        ({"libraries": NO_DRIVER}, None, "libcuda.so.1, of NVIDIA's driver", "--gpus all"),
        ({"libraries": GONE}, "0", "libcudnn.so.9 can't be opened", "-r requirements-gpu.lock"),
        ({"log": LOG}, None, "cuInit: ERROR 803", "update NVIDIA's driver"),
    ],
)
def test_why_tensorflow_finds_no_gpu(smi, monkeypatch, report, hidden, why, fix):
    smi("NVIDIA H200, 570.86")
    if hidden:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    check = gpu.check_gpu({**REPORT, "gpus": [], **report})
    assert "TensorFlow finds none: " in check.text
    assert why in check.text
    assert fix in check.fix


def test_a_gpu_that_is_left_alone_on_purpose_is_no_fault(smi, monkeypatch):
    smi("NVIDIA H200, 570.86")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    check = gpu.check_gpu({**REPORT, "gpus": []})
    assert check.fix == ""
    assert check.text.endswith("not used, because CUDA_VISIBLE_DEVICES is -1")


def test_a_tensorflow_that_cant_be_loaded_is_named():
    report = json.dumps(REPORT)
    check, found = gpu.check_tensorflow(child(f"print('a line'); print('''{report}''')"))
    assert check == ("tensorflow", "2.21.0 can be loaded", "")
    assert found == REPORT
    check, found = gpu.check_tensorflow(child("import os; os.kill(os.getpid(), 4)"))
    assert check.text == "loading it ends Python by signal 4"
    check, found = gpu.check_tensorflow(child("raise ImportError('no GLIBC_2.27')"))
    assert check.text == "can't be loaded: ImportError: no GLIBC_2.27"
    assert found == {}


def test_what_dvc_says_is_one_line():
    stages = json.dumps({"split": [], "train@crnn-0": []})
    assert project.check_dvc(child(f"print('{stages}')")).text.startswith("2 stages differ from")
    one = project.check_dvc(child("""print('{"split": []}')""")).text
    assert one.startswith("1 stage differs from dvc.lock (split); after")
    assert project.check_dvc(child("print({})")).text.endswith("are those of dvc.lock")
    check = project.check_dvc(child("import sys; sys.exit('ERROR: dvc.lock is damaged')"))
    assert check == ("dvc", "dvc.lock is damaged", "dvc status")


def test_results_of_other_versions_and_a_lock_have_what_to_type(folder):
    assert "none yet" in project.check_results().text
    (folder / "results/split").mkdir(parents=True)
    (folder / "results/split/versions.json").write_text('{"numpy": "1.0"}')
    check = project.check_results()
    assert check.text == f"split: made by numpy 1.0, now {version_of('numpy')}"
    assert check.fix == "snakemake --cores all --forcerun split"
    (folder / "results/train/fcn4/seed-0").mkdir(parents=True)
    (folder / "results/train/fcn4/seed-0/versions.json").write_text('{"numpy": "1.0"}')
    assert project.check_results().fix == (
        "snakemake --cores all --forcerun split; train/fcn4/seed-0, not in params.yaml: delete "
        "them, or run with their --configfile"
    )
    for path in (folder / "results").rglob("versions.json"):
        path.write_text("{")
    check = project.check_results()
    assert check.text == "split, train/fcn4/seed-0: no readable versions.json"
    assert check.fix
    assert not project.check_snakemake().fix
    (folder / ".snakemake/locks").mkdir(parents=True)
    (folder / ".snakemake/locks/0.input.lock").touch()
    assert project.check_snakemake().fix.endswith("if there is none: snakemake --unlock")
