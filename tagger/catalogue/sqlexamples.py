"""SQL examples: questions that are worth asking, as the page offers them.

docs/SQL.md shows the same, and a test runs them all.
"""

EXAMPLES = {
    "The most frequent tags": """SELECT tag, count(*) AS photos
FROM photo_tags
GROUP BY tag
ORDER BY photos DESC, tag
LIMIT 20""",
    "Photos a month": """SELECT strftime(taken_at, '%Y-%m') AS month, count(*) AS photos
FROM photos
WHERE taken_at IS NOT NULL
GROUP BY month
ORDER BY month""",
    "Tags that go together": """SELECT a.tag, b.tag AS other, count(*) AS photos
FROM photo_tags a JOIN photo_tags b USING (photo_id)
WHERE a.tag < b.tag
GROUP BY ALL
ORDER BY photos DESC, a.tag, other
LIMIT 20""",
    "Photos by camera": """SELECT coalesce(camera, 'not said') AS camera,
  count(*) AS photos, round(sum(bytes) / 1e9, 3) AS gigabytes
FROM photos
WHERE state <> 'missing'
GROUP BY ALL
ORDER BY photos DESC, camera""",
    "How fast the models are": """SELECT model, count(*) AS photos,
  round(avg(seconds), 2) AS seconds, round(avg(tokens_out)) AS tokens
FROM results
GROUP BY model
ORDER BY photos DESC, model""",
    "Pictures that are there more than once": """SELECT picture,
  count(*) AS files, list(path ORDER BY path) AS paths
FROM photos
WHERE picture IS NOT NULL AND state <> 'missing'
GROUP BY picture
HAVING count(*) > 1
ORDER BY files DESC, picture""",
    "Why photos failed": """SELECT reason, count(*) AS photos
FROM failures
GROUP BY reason
ORDER BY photos DESC, reason""",
    "What each run wrote": """SELECT id, kind, started_at, photos, undone
FROM runs
ORDER BY id DESC""",
}
