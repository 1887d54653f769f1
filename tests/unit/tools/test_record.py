"""What `autotagging record` finds in results/ that no rule makes."""

from autotagging.tools.record import _extra


def test_a_folder_without_results_stands_for_its_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("crnn/seed-0/weights", "crnn/seed-0/notes", "fcn4/seed-0/a", "fcn4/seed-1/b"):
        path = tmp_path / "results/train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = _extra({"results/train/crnn/seed-0/weights"})
    assert found == ["results/train/crnn/seed-0/notes", "results/train/fcn4"]
