"""Git repositories for tests: written object by object, and served by dulwich's own server over HTTP."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import make_server

from dulwich.index import commit_tree
from dulwich.objects import Blob, Commit, ObjectID, Tag
from dulwich.refs import Ref
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import WSGIRequestHandlerLogger, WSGIServerLogger, make_wsgi_chain

FILE, LINK, SUBMODULE = 0o100644, 0o120000, 0o160000
_WHO = b"A Clerk <clerk@bank.example>"


def commit(folder: Path, files: Mapping[str, bytes | tuple[int, bytes]], ref: str = "refs/heads/main") -> str:
    """Make the files, each with or without a mode, the content of a branch; the new commit's id."""
    with Repo(str(folder)) if (folder / "objects").is_dir() else Repo.init_bare(str(folder), mkdir=True) as repo:
        entries = []
        for name, given in files.items():
            mode, data = given if isinstance(given, tuple) else (FILE, given)
            blob = Blob.from_string(data)
            if mode != SUBMODULE:
                repo.object_store.add_object(blob)
            entries.append((name.encode("utf-8", "surrogateescape"), blob.id, mode))
        made = Commit()
        made.tree = commit_tree(repo.object_store, entries)
        made.author = made.committer = _WHO
        made.author_time = made.commit_time = 1_760_000_000
        made.author_timezone = made.commit_timezone = 0
        made.message = b"Documents"
        made.parents = [repo.refs[Ref(ref.encode())]] if Ref(ref.encode()) in repo.refs else []
        repo.object_store.add_object(made)
        repo.refs[Ref(ref.encode())] = made.id
        repo.refs.set_symbolic_ref(Ref(b"HEAD"), Ref(b"refs/heads/main"))
        return made.id.decode()


def tag(folder: Path, name: str, target: str) -> None:
    """An annotated tag of a commit."""
    with Repo(str(folder)) as repo:
        made = Tag()
        made.name, made.message, made.tagger = name.encode(), b"Published", _WHO
        made.object = (Commit, ObjectID(target.encode()))
        made.tag_time, made.tag_timezone = 1_760_000_000, 0
        repo.object_store.add_object(made)
        repo.refs[Ref(f"refs/tags/{name}".encode())] = made.id


@contextmanager
def serving(repositories: Mapping[str, Path]) -> Iterator[str]:
    """The address of a server on a free port that has the repositories at these paths."""
    opened: dict[str, BackendRepo] = {path: Repo(str(folder)) for path, folder in repositories.items()}
    application = make_wsgi_chain(DictBackend(opened))
    with make_server("127.0.0.1", 0, application, WSGIServerLogger, WSGIRequestHandlerLogger) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            for repo in opened.values():
                repo.close()  # type: ignore[attr-defined]  # it is a `Repo`
