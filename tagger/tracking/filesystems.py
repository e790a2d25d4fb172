"""File systems: which kind holds a folder, and what that means for us."""

from pathlib import Path

import psutil

from tagger.errors import DataError

# SQLite's WAL keeps its index in shared memory, which network file systems lack.
NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "ncpfs"),
        *("webdav", "davfs", "fuse.davfs2", "fuse.sshfs", "fuse.rclone", "fuse.s3fs"),
        *("glusterfs", "fuse.glusterfs", "ceph"),
    }
)
# What others change there gives no sign here: the host of a virtual machine is another
# machine, too.
UNTELLING = NETWORK | {
    *("9p", "drvfs", "virtiofs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse", "vmhgfs"),
    *("fuse.gvfsd-fuse", "fuse.goofys", "fuse.ceph", "lustre"),
}


def refuse_network_share(folder: Path) -> None:
    """Raise `DataError` if `folder` is on a file system SQLite's WAL cannot use."""
    kind = kind_of(folder)
    if kind in NETWORK:
        raise DataError(
            f"{folder} is on a network share ({kind}), where the tracking database "
            "cannot work; set TAGGER_DATA_DIR to a folder on a local disk"
        )


def kind_of(folder: Path) -> str:
    """The file-system type that holds `folder`, lower case; empty if unknown."""
    resolved = folder.resolve()
    best, kind = -1, ""
    for mount, fstype in mounts():
        if resolved.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), fstype
    return kind


def mounts() -> list[tuple[Path, str]]:
    """Every place where a file system is mounted, with its type in lower case."""
    return [
        (Path(partition.mountpoint), partition.fstype.lower())
        for partition in psutil.disk_partitions(all=True)
    ]
