"""Restore results from DVC for Snakemake: the command `autotagging restore`."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.common.files import read_json
from autotagging.common.params import read_params
from autotagging.common.progress import progress
from autotagging.corpus.paths import VOCABULARY, VOCABULARY_COPY, corpus_folder, is_made_here
from autotagging.tools import _replaced
from autotagging.tools._cache import cache_folder, files_of, has_md5, object_path
from autotagging.tools._edits import times_of_edits
from autotagging.tools._engines import RESULTS, run
from autotagging.tools._lock import LOCK, changed_sources, read_lock, results_of
from autotagging.tools._project import check_project
from autotagging.tools._results_lock import replacing_results
from autotagging.tools._unrecorded import RECORDS
from autotagging.tools.record import SPECTROGRAMS
from autotagging.tools.verify import changes_since_download


def restore() -> None:
    """Get the results in dvc.lock from DVC's cache, and mark them as finished for Snakemake.

    Needed after `git checkout`, `dvc pull`, `dvc exp apply`, or a stage that DVC took from its run
    cache, because file times are then wrong. All files are read and compared with dvc.lock, because
    DVC itself trusts the files in its cache.

    Raises
    ------
    UserError
        dvc.lock belongs to other code or parameters, the cache lacks a result, results/ has files
        that were never recorded, Snakemake or DVC is at work there, a file is damaged, a corpus
        folder of the user or the weights that a training started from are missing or have changed
        since, or params.yaml or the code is edited meanwhile. Nothing is marked then.
    """
    check_project()
    if not LOCK.exists():
        raise UserError(f"no {LOCK} here; `git checkout -- {LOCK}` gets the committed one")
    edits, stages = times_of_edits(), read_lock()
    if changed := changed_sources(stages):
        raise UserError(
            f"dvc.lock belongs to other code or parameters; changed: {', '.join(changed)}; check "
            "out the matching ones; or, if `snakemake -n` has nothing to do, run `autotagging "
            "record`; or run `dvc repro` to make the results again"
        )
    known = run("dvc", "stage", "list", "--name-only", capture=True).stdout.split()
    recorded = [stage for stage in known if stage in stages]
    cache = cache_folder()
    outs = {path: md5 for stage in recorded for path, md5 in results_of(stages[stage])}
    if not _is_complete(cache, outs):  # `dvc checkout` would delete what it can't replace
        raise UserError(
            "DVC's cache lacks results in dvc.lock; `dvc pull` gets them from a remote, if any; "
            "`dvc repro` makes them again"
        )
    with replacing_results():
        checkout = run("dvc", "checkout", *recorded, capture=True, check=False)
    if checkout.returncode and "unsaved" in checkout.stderr:
        raise UserError(
            "results/ has files that are not recorded and would be lost; run `autotagging record` "
            "or delete them and restore"
        )
    if checkout.returncode:
        print(checkout.stderr, end="", file=sys.stderr)
        raise UserError(
            "DVC's cache has the results in dvc.lock, but they could not be put in their place; is "
            "the disk full? Then restore again"
        )
    if SPECTROGRAMS not in recorded:
        (RESULTS / SPECTROGRAMS).mkdir(exist_ok=True)  # as when they were recorded
    if damaged := list(_damaged_files(cache, outs)):
        raise UserError(
            f"not what dvc.lock says: {', '.join(damaged)}; delete these files, get them again by "
            "`dvc pull` or make them again by `dvc repro`, then restore"
        )
    _check_own_corpus()
    _check_starts()
    # --forceall, so that parameters and code are recorded for each job, also for one whose files
    # have the right times: Snakemake notices no change of a job without a record.
    run("snakemake", "--touch", "--forceall", "--cores", "all", capture=True)
    if times_of_edits() != edits and (changed := changed_sources(stages)):
        shutil.rmtree(RECORDS)  # as of the new parameters and code; the results are of the former
        raise UserError(
            f"edited meanwhile: {', '.join(changed)}; put the content before back, or run `dvc "
            "repro` to make the results again; then restore"
        )
    _replaced.note_all(outs)  # what is left of a removed seed or model was not compared
    print("results/ matches dvc.lock and is marked as finished for Snakemake", file=sys.stderr)
    for note in _not_compared(read_params(Path("params.yaml"))):
        print(note, file=sys.stderr)


def _check_own_corpus() -> None:
    """Check that a corpus of the user, which DVC does not watch, is still that of the results."""
    corpus = read_json(RESULTS / "download/audio.json", corpus=str)["corpus"]
    if is_made_here(corpus):
        return
    if not corpus_folder(corpus).is_dir():
        raise UserError(
            f"params.yaml: corpus: {corpus_folder(corpus)} is not a folder; results/ is as "
            "dvc.lock says, but Snakemake needs the corpus: put it there, then restore"
        )
    changes = changes_since_download(corpus)
    own, used = corpus_folder(corpus) / VOCABULARY, RESULTS / "merge_tags" / VOCABULARY_COPY
    if len({path.read_bytes() if path.exists() else None for path in (own, used)}) > 1:
        changes.append(f"{own} is not {used}")
    if changes:
        raise UserError(
            f"{'; '.join(changes)}; run `snakemake --cores all` for the corpus as it is now"
        )


def _check_starts() -> None:
    """Check that models were trained from the weights in `train.<model>.start_from` of params.yaml.

    DVC watches the path, and not what is there.
    """
    params = read_params(Path("params.yaml"))
    for model in params["models"]:
        if (given := params["train"][model].get("start_from")) is None:
            continue
        start = Path(given) / "model.json" if Path(given).is_dir() else Path(given)
        if not start.is_file():
            raise UserError(
                f"params.yaml: train.{model}.start_from: {given} is neither a model.json nor a "
                "folder with one; Snakemake needs it: put it there, then restore"
            )
        now = read_json(start, weights_sha256=str)["weights_sha256"]
        trained = sorted((RESULTS / "train" / model).glob("seed-*/model.json"))
        others = [
            str(path)
            for path in trained
            if read_json(path, trained_on=dict)["trained_on"].get("start_weights_sha256") != now
        ]
        if others:
            raise UserError(
                f"{', '.join(others)}: not trained from the weights of {start}; put the earlier "
                f"ones back, or train again: `snakemake --cores all --forcerun {' '.join(others)}`"
            )


def _not_compared(params: dict[str, Any]) -> Iterator[str]:
    """Name folders in params.yaml of which nothing tells the content at the time of training."""
    for model in params["models"]:
        source = params["train"][model].get("source", "other_tags")
        if source != "other_tags":
            folder, seeds = RESULTS / "train" / model, params["train"]["seeds"]
            trained = " ".join(str(folder / f"seed-{seed}" / "model.json") for seed in seeds)
            yield (
                f"train.{model}.source was not compared; if {source} has changed since, "
                f"train again: `snakemake --cores all --forcerun {trained}`"
            )


def _is_complete(cache: Path, outs: dict[str, str]) -> bool:
    """Tell whether every result in dvc.lock is in DVC's cache or already in its place."""
    for folder, md5 in outs.items():
        listing = object_path(cache, md5)
        if not listing.is_file():
            return False
        for path, content in files_of(folder, listing):
            if not object_path(cache, content).is_file() and not has_md5(path, content):
                return False
    return True


def _damaged_files(cache: Path, outs: dict[str, str]) -> Iterator[str]:
    """Find results whose content differs from dvc.lock, and damaged objects of the cache."""
    expected = {}
    for folder, md5 in outs.items():
        listing = object_path(cache, md5)
        if has_md5(listing, md5.removesuffix(".dir")):
            expected |= dict(files_of(folder, listing))
        else:
            yield str(listing)
    for path, md5 in progress(expected.items(), total=len(expected), label="Comparing results"):
        if not has_md5(path, md5):
            yield str(path)
            if not has_md5(object_path(cache, md5), md5):
                yield str(object_path(cache, md5))
