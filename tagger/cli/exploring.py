"""The commands that look into the catalogue, or give what is in it to others."""

from argparse import ArgumentParser

from tagger.cli.building import Commands, positive
from tagger.cli.building import command as _command


def add(commands: "Commands[ArgumentParser]") -> None:
    """All of them, in the order `--help` lists them."""
    _search(commands)
    _duplicates(commands)
    _facets(commands)
    _compare(commands)
    _export(commands)
    _publish(commands)
    _sql(commands)
    _rebuild(commands)
    _backups(commands)


def _search(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "search",
        "catalogue:search",
        "find photos by words, tags, dates, places and more",
        json=True,
        epilog="examples, each in quotes for the shell:\n"
        "  'dog beach'  'tag:\"red car\" -snow'  '(dog OR cat) taken:2024-05'\n"
        "  'camera:fuji size:>12mp'  'near:45.4,12.3,5km'  'state:failed'\n"
        "docs/QUERY.md describes the language",
    )
    command.add_argument("query", nargs="+", metavar="QUERY")
    command.add_argument("--limit", type=positive, default=50, metavar="N")


def _duplicates(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "duplicates",
        "duplicates:duplicates",
        "list photos that are there more than once, or look the same; nothing is "
        "deleted",
        json=True,
        epilog="Of each group the best comes first: most pixels, then most bytes.\n"
        "exit codes:\n  0  there are some\n  1  there are none",
    )
    command.add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help="compare only the photos this finds (default: all)",
    )
    command.add_argument(
        "--near",
        action="store_true",
        help="also photos that only look the same: smaller, saved again, darker",
    )
    command.add_argument(
        "--distance",
        type=int,
        metavar="N",
        help="how many of the 63 bits of a look may differ, 0 to 8 (default 6); "
        "implies --near",
    )
    command.add_argument(
        "--limit",
        type=positive,
        default=100,
        metavar="N",
        help="list at most N groups (default 100)",
    )


def _facets(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "facets",
        "counting:facets",
        "count photos by tags, folders, years, cameras and more",
        json=True,
        epilog="by: tags, folders, years, months, cameras, lenses, formats, ratings,\n"
        "models, states, tagging (with tags or without), together (pairs of tags),\n"
        "time (tags by year), singletons (tags of one photo), drift (what one model\n"
        "says and another does not)",
    )
    command.add_argument("query", nargs="*", metavar="QUERY")
    command.add_argument(
        "--by", action="append", metavar="WHAT", help="may be repeated; see below"
    )
    command.add_argument("--limit", type=positive, default=20, metavar="N")
    command.add_argument(
        "--models",
        nargs=2,
        metavar=("FIRST", "SECOND"),
        help="for drift (default: the two that answered most)",
    )


def _compare(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "compare",
        "comparing:compare",
        "ask several models about the same few photos, which get no word of it",
        json=True,
        epilog="examples:\n"
        "  compare --with laptop=gemma3:4b --with laptop=qwen2.5vl:7b --count 20\n"
        "  compare dog --with laptop --with builtin\n"
        "What was answered is kept, and can be judged on the page Compare models.\n"
        "exit codes:\n  0  all answered\n  3  some answers are missing",
    )
    command.add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help="a sample of the photos this finds (default: of all)",
    )
    command.add_argument(
        "--with",
        dest="contenders",
        action="append",
        default=[],
        metavar="SERVER[=MODEL]",
        help="somebody to be asked: a server by its name in the settings, or builtin; "
        "given twice or more",
    )
    command.add_argument(
        "--count", type=positive, default=20, metavar="N", help="photos, at most 50"
    )
    command.add_argument(
        "--image",
        action="append",
        type=positive,
        default=[],
        metavar="ID",
        help="this photo instead of a sample; may be repeated",
    )
    command.add_argument(
        "--show", type=positive, metavar="ID", help="show an earlier comparison"
    )


def _export(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "export",
        "catalogue:export",
        "write the catalogue, or what a query finds, to a file",
        epilog="A ZIP has an XMP file for each photo, at its path.",
    )
    command.add_argument("file", metavar="FILE.csv|.parquet|.jsonl|.zip")
    command.add_argument("--query", default="", metavar="Q")
    _plain(command)


def _sql(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "sql",
        "asking:sql",
        "ask the catalogue in SQL, read-only",
        json=True,
        epilog="examples, each in quotes for the shell:\n"
        '  "SELECT tag, count(*) AS photos FROM photo_tags GROUP BY tag"\n'
        '  "DESCRIBE photos"\n'
        "docs/SQL.md describes the tables",
    )
    command.add_argument("text", nargs="?", metavar="SELECT")
    command.add_argument("--saved", metavar="NAME", help="ask a saved question")
    command.add_argument("--csv", action="store_true", help="print CSV")
    command.add_argument(
        "--out", metavar="FILE.csv|.parquet|.jsonl", help="write the answer to a file"
    )
    _plain(command)


def _plain(command: ArgumentParser) -> None:
    command.add_argument(
        "--plain",
        action="store_true",
        help="in a CSV, leave text as it is that a spreadsheet takes for a formula",
    )


def _publish(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "publish",
        "publishing:publish",
        "publish the catalogue as a snapshot in a DuckLake that others read",
        json=True,
        epilog="examples:\n"
        "  publish ducklake:sqlite:/share/photos.sqlite\n"
        "  publish 'ducklake:postgres:dbname=photos host=db' --data-path /share/photos",
    )
    command.add_argument("target", metavar="ducklake:sqlite:FILE|ducklake:postgres:…")
    command.add_argument(
        "--data-path",
        metavar="DIR",
        help="folder of the lake's Parquet files; needed when a lake in PostgreSQL is "
        "made, otherwise FILE.files",
    )


def _rebuild(commands: "Commands[ArgumentParser]") -> None:
    _command(
        commands,
        "rebuild",
        "catalogue:rebuild",
        "make catalogue, search index and thumbnails anew",
    )


def _backups(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "backup",
        "backing:backup",
        "write what cannot be made again from the photos into one file",
    )
    command.add_argument("file", metavar="FILE.zip")
    command = _command(
        commands,
        "restore",
        "backing:restore",
        "put a backup in the place of what is known now",
        records=True,
        epilog="Photos are not touched. The next scan takes up what changed since.",
    )
    command.add_argument("file", metavar="FILE.zip")
    command.add_argument(
        "--settings", action="store_true", help="put config.toml back, too"
    )
