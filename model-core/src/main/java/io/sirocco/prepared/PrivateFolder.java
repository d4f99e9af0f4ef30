package io.sirocco.prepared;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.EnumSet;
import java.util.Set;

/** Folders of what models compute with: only their owner writes to them. */
public final class PrivateFolder {
  private static final int ROOT = 0;

  private PrivateFolder() {}

  /**
   * Makes a folder that only its owner can enter, where it is missing; the folders above it get the
   * rights that new folders have.
   *
   * @throws IOException also if there is a link or a file of that name
   */
  public static void make(Path folder) throws IOException {
    if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (folder.getParent() != null) {
      Files.createDirectories(folder.getParent());
    }
    try {
      if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
        Files.createDirectory(
            folder,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } else {
        Files.createDirectory(folder);
      }
    } catch (FileAlreadyExistsException e) {
      requireReal(folder);
    }
  }

  /**
   * Refuses what is at the place of a folder, but is none.
   *
   * @throws IOException if so; a link to a folder is none, as nothing can be moved out of it
   */
  public static void requireReal(Path folder) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(folder + " is a link or a file, expected a folder; remove it");
    }
  }

  /**
   * Refuses a folder that other users may have put something into; root may, as it may everywhere.
   *
   * @throws IOException if so
   */
  static void requireTrusted(Path folder) throws IOException {
    PosixFileAttributeView posix = Files.getFileAttributeView(folder, PosixFileAttributeView.class);
    if (posix == null) {
      return;
    }
    PosixFileAttributes found = posix.readAttributes();
    Set<PosixFilePermission> rights = found.permissions();
    if (rights.contains(PosixFilePermission.GROUP_WRITE)
        || rights.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException(
          "%s has the rights %s, expected that only its owner can write to it; remove what is in it and take that right away (chmod go-w)"
              .formatted(folder, PosixFilePermissions.toString(rights)));
    }
    if (!isRoots(folder) && !self(folder).equals(found.owner())) {
      throw new IOException(
          "%s belongs to %s, expected %s or root; choose another folder"
              .formatted(folder, found.owner().getName(), self(folder).getName()));
    }
  }

  private static boolean isRoots(Path folder) throws IOException {
    return folder.getFileSystem().supportedFileAttributeViews().contains("unix")
        && Files.getAttribute(folder, "unix:uid").equals(ROOT);
  }

  /**
   * Takes the right to write from others, where the folder is this user's: earlier versions, and
   * the masks of users, have left it.
   */
  static void tighten(Path folder) throws IOException {
    PosixFileAttributeView posix = Files.getFileAttributeView(folder, PosixFileAttributeView.class);
    if (posix == null) {
      return;
    }
    PosixFileAttributes found = posix.readAttributes();
    Set<PosixFilePermission> rights = EnumSet.copyOf(found.permissions());
    boolean shared =
        rights.removeAll(Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE));
    if (shared && self(folder).equals(found.owner())) {
      posix.setPermissions(rights);
    }
  }

  /** Whom files belong to that this process makes there, or elsewhere if it can make none there. */
  private static UserPrincipal self(Path folder) throws IOException {
    Path probe;
    try {
      probe = Files.createTempFile(folder, ".sirocco-probe-", "");
    } catch (FileSystemException e) {
      probe = Files.createTempFile("sirocco-probe-", "");
    }
    try {
      return Files.getOwner(probe);
    } finally {
      Files.deleteIfExists(probe);
    }
  }
}
