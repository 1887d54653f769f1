from autotagging.reporting.captions import (
    attribution,
    brackets,
    clips_caption,
    corpus_name,
    licence,
    lines,
    not_scored,
    run_caption,
)


def runs(*models, **more):
    common = {"seed": 0, "corpus": "demo", "split": "random 6/1/3", "n_clips": 3, "n_tags": 3}
    return [{**common, "model": model, "tags_not_scored": [], **more} for model in models]


def test_a_few_models_are_named_and_many_are_counted():
    start = "Synthetic demo corpus (not MagnaTagATune), split random 6/1/3; "
    assert run_caption(runs(*"abcd")) == f"{start}a, b, c and d, seed 0"
    assert run_caption(runs(*"abcde")) == f"{start}5 models, seed 0"


def test_models_of_the_same_test_clips_are_named_together():
    caption = clips_caption([*runs("crnn", "fcn4"), *runs("lookup", n_clips=1004)])
    assert caption.endswith("can be read: 3 for crnn and fcn4, 1,004 for lookup")


def test_tags_that_are_not_scored_are_named_once_for_all_models():
    text = not_scored([*runs(*"abcde", tags_not_scored=["harp"]), *runs("lookup")])
    sentence = "Means over tags use 2 of 3 for 5 models: all test clips, or none, have harp. "
    assert text == sentence


def of_artists(*numbers):
    made = [{"intervals": {"artists": {"groups": number}}, "confidence": 0.9} for number in numbers]
    return [{**run, "seed": 0} for run in made]


def test_brackets_say_how_many_artists_are_drawn():
    start = "In brackets: 90 % confidence interval, bootstrap over "
    assert brackets(of_artists(1031, 1031)) == f"{start}1,031 artists."
    assert brackets(of_artists(10, 31)) == f"{start}10 to 31 artists."
    assert brackets(of_artists(9, 9)) == f"{start}only 9 artists, so too narrow."
    assert lines(of_artists(31)) == "Lines: 90 % confidence interval, bootstrap over 31 artists"


def test_without_intervals_tables_say_so_and_figures_name_no_lines():
    assert brackets(of_artists(1, 1)) == "No intervals: all test clips are of one artist."
    assert lines(of_artists(1, 1)) == ""


def test_own_files_of_magnatagatune_have_its_licence_and_are_not_called_verified():
    own = "magnatagatune (own files, 3 clips missing)"
    assert corpus_name(own) == "MagnaTagATune (own files, 3 clips missing)"
    assert licence(own) == licence("magnatagatune")
    assert attribution(own).startswith(attribution("magnatagatune"))
    assert attribution(own).endswith("the audio was not compared with the published one.")
    assert licence("folder magnatagatune") is None
