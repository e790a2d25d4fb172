"""Writing: conditions as text of the language, for what screens put into a query."""


def quoted(text: str) -> str:
    """In quotes, whatever it holds."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def field(name: str, value: str) -> str:
    """`tag:dog`, or `tag:"red car"` where the value would not hold together."""
    plain = value.strip() == value != ""
    plain = plain and not any(c.isspace() or c in '"()*' for c in value)
    return f"{name}:{value if plain else quoted(value)}"
