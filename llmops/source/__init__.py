"""Git and YAML -> bytes and values with their places. The front of the stream.

In: a folder, revisions, URIs with digests. Out: `Tree` (named, immutable bytes from `tree`),
`Document` (one file's values, each with line and column, from `document`), and verified files
by digest (from `fetch`, which has `download` for the network). `scalars`, `text` and `trouble` are
the loader's parts; `cache` remembers parsed values by git object id.

`git` is the only module that runs git (for `tree`, for `commits`, which writes files as a commit,
and for `remote`, which fetches and pushes them); `fetch` alone downloads; the rest is dry.
`objects` answers as `git` does over objects that somebody handed over.
Every later stage reads files from a tree, never from the disk, so a verdict is about bytes that
git can name. There is exactly one YAML loader: two readers that disagree on `no` or `010` would
make one file mean two things. To refuse another scalar form: `scalars`; to word a syntax
error better: a line in `trouble`, and a pair of files below `tests/golden/yaml/`.
"""
