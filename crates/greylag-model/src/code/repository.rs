//! Repositories and change requests: git and forges (`GL10xx`).

codes! {
    GIT_START = 1001, "git could not be started",
        cause: "Repositories are read and written by the program `git`, which could not be started, or is older than what is needed (2.40).",
        cure: "Install git (`apt-get install git`). `greylag doctor` tells what was found.";
    GIT_FAILED = 1002, "git failed",
        cause: "A command of git ended with an error. The end of what it said is in the message. Nothing was changed: commits become visible by one atomic change of a branch, and that comes last.",
        cure: "Do what the message says; look whether the repository can be reached and is sound (`git fsck`).";
    GIT_LIMIT = 1003, "a repository went beyond a limit",
        cause: "Reading the repository took more time, memory or room than is allowed, or it has more files, deeper folders or a larger file than is allowed. What was begun has been ended.",
        cure: "Raise the limit if the repository is really that large, else look at what is in it.";
    GIT_URL = 1004, "the address of a repository is refused",
        cause: "Repositories are reached by an absolute path, `https`, `http` or `ssh`. Other ways could run commands on this machine, and an address that holds a password would show it to other processes.",
        cure: "Use one of these ways; give secrets by reference.";
    GIT_PATH = 1005, "this path is not written into a repository",
        cause: "A change may replace and delete regular files that the repository has, and make new ones only where that is asked for. Paths that lead out of the repository, into `.git` under any of its names, or hold control characters are never written.",
        cure: "Correct the path.";
    GIT_MOVED = 1006, "a branch was moved by somebody else",
        cause: "A branch is not at the commit at which it was expected. It was left as it is.",
        cure: "Look at what was pushed, then try again: the next attempt goes on from there.";
    GIT_OBJECT = 1007, "a repository lacks something or is damaged",
        cause: "A commit, tree or file that was asked for is not in the repository, or is not what it should be.",
        cure: "Fetch it again; `git fsck` tells what is damaged.";
    FORGE_UNKNOWN = 1011, "the forge has no such repository or change request",
        cause: "Nothing with this name, number or key is on the forge.",
        cure: "`greylag changes list` shows what there is.";
    FORGE_STATE = 1012, "a change request is not in a state for that",
        cause: "Only open change requests are approved, updated, merged or closed, and only merged ones reverted.",
        cure: "Look at it with `greylag changes show`.";
    FORGE_TAKEN = 1013, "the branch for a change request belongs to somebody else",
        cause: "The branch that the change request would have is there already, with commits that this program did not write. It was left as it is.",
        cure: "Rename or delete that branch.";
    FORGE_STORE = 1014, "the forge's database cannot be used",
        cause: "The embedded forge keeps its change requests in a SQLite database beside its repositories, which could not be read or written.",
        cure: "Look at the permissions and the space of the forge's folder.";
    FORGE_SOURCE = 1015, "what a repository was taken from has gone another way",
        cause: "The repository was taken into the embedded forge before, and what it was taken from is no longer what its branch goes on from: a history was forced, or a directory that is no git repository was changed. Taking it again would lose what was merged on the forge.",
        cure: "Push to the repository in the forge's folder instead, or take it under another name (`--name`).";
    OWNER_REFUSED = 1016, "the owner of a repository has said no",
        cause: "A run offered a change request, and it was closed without being merged. Its code still reads the old datasets.",
        cure: "Read its comments, talk to its owner, or leave its code as it is: the old datasets stay until they are retired, and `retire` looks for readers first.";
    SETTINGS = 1017, "what `.greylag.yaml` says is not understood",
        cause: "A repository says in its `.greylag.yaml` how its code is read: `dialect`, and `dbt` with `target`, `vars` and `projects`. What the message names is none of that, or no plain word. It says nothing then; the rest of the file stands, and more is taken for open than need be.",
        cure: "Correct the line that is named. Keys that Greylag does not know at the top of the file are left alone.";
    TARGET_OPEN = 1018, "what a dbt project is depends on its target",
        cause: "Templates of the project ask for the target, or for variables, and nothing in the repository says what they are: each such question is answered both ways, and some templates can then go in more ways than are looked at. What they name is not known for sure, so they are left to somebody.",
        cure: "Say in the repository's `.greylag.yaml` what is the same in every run that matters: `dbt: {target: {database: shop}}`, or `vars`. Who only looks says it by `--target database=shop` or `--vars name=value`. It is believed: what another target makes of the templates is not looked at then.";
}
