"""API: which role each route takes.

Asked of the route that was found, not of the path that was sent, so there is no way to
spell one that this table does not see. What it does not name a viewer may read, and
only an admin may do.
"""

from tagger.acting import Role

READING = frozenset({"GET", "HEAD"})
_E, _V, _A = Role.EDITOR, Role.VIEWER, Role.ADMIN

# What is read only by some, and done by more than admins.
ROLES: dict[tuple[str, str], Role] = {
    ("GET", "/audit"): _A,
    ("GET", "/browse"): _A,
    ("GET", "/metrics"): _A,
    ("GET", "/settings/config"): _A,
    # Questions come as a POST, because they are long.
    ("POST", "/sql"): _V,
    ("POST", "/sql/file"): _V,
    ("POST", "/tag"): _E,
    ("PATCH", "/images/{image_id}"): _E,
    ("POST", "/images/{image_id}/answers/{answer_id}/use"): _E,
    ("POST", "/edits/tags"): _E,
    ("POST", "/edits/{edit_id}/undo"): _E,
    ("PATCH", "/tags/{tag_id}"): _E,
    ("DELETE", "/tags/{tag_id}"): _E,
    ("POST", "/tags/merge"): _E,
    ("POST", "/edits/import"): _E,
    ("POST", "/tags/suggestions/dismissed"): _E,
    ("DELETE", "/tags/suggestions/dismissed"): _E,
    ("POST", "/review"): _E,
    ("POST", "/review/many"): _E,
    ("POST", "/comparisons"): _E,
    ("POST", "/comparisons/{comparison_id}/cancel"): _E,
    ("POST", "/comparisons/{comparison_id}/continue"): _E,
    ("PUT", "/comparisons/{comparison_id}/choices/{image_id}"): _E,
    ("DELETE", "/comparisons/{comparison_id}/choices/{image_id}"): _E,
    ("DELETE", "/comparisons/{comparison_id}"): _E,
    # Jobs: which photos are asked about, and when.
    ("POST", "/jobs/retry"): _E,
    ("POST", "/queue/pause"): _E,
    ("POST", "/queue/resume"): _E,
    ("POST", "/queue/cancel"): _E,
    ("POST", "/queue/add"): _E,
    ("PUT", "/queue/first"): _E,
    ("DELETE", "/queue/first"): _E,
    ("POST", "/queue/now"): _E,
    ("POST", "/queue/retry"): _E,
    # What is saved for all to use.
    ("PUT", "/searches"): _E,
    ("POST", "/searches/rename"): _E,
    ("DELETE", "/searches"): _E,
    ("PUT", "/sql/saved"): _E,
    ("DELETE", "/sql/saved"): _E,
}
# Routes that change nothing, though they are no GET: they go on no record.
QUESTIONS = frozenset({("POST", "/sql"), ("POST", "/sql/file"), ("POST", "/tag")})


def needed(method: str, path: str) -> Role:
    """The role a route takes; `path` is as the route is written, below `/api`."""
    default = Role.VIEWER if method in READING else Role.ADMIN
    return ROLES.get((method, path), default)
