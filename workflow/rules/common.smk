# What several rules need. Only the Snakefile and its rules read params.yaml.


wildcard_constraints:
    model=r"\w+",
    seed=r"\d+",
    shard=r"\d+",


SHARDS = [f"{shard:02}" for shard in range(config["extract_mel"]["shards"])]


def modules(*names):
    """Paths of modules of the package, which are inputs: a changed step must run again."""
    return [f"src/autotagging/{name}.py" for name in names]


def epochs():
    """Epochs to train: the demo corpus has its own."""
    return config["demo" if config["corpus"] == "demo" else "train"]["epochs"]


def model_options(wildcards):
    """Options of one model as name=value, the way the command line takes them."""
    return [f"{name}={value}" for name, value in config["train"][wildcards.model].items()]


def corpus_tables(wildcards):
    """The tables of a corpus that is a folder of the user's: when they change, so does all."""
    folder = Path(config["corpus"])
    return sorted(map(str, folder.glob("*_final.csv*"))) if folder.is_dir() else []
