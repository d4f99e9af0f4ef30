package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileChecksum;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The folder of a model on a file system of Hadoop's. Thread-safe; its streams are not. */
final class RemoteModel implements AutoCloseable {
  private static final String COMBINE_MODE = "dfs.checksum.combine.mode";

  private final FileSystem files;
  private final Path folder;

  private RemoteModel(FileSystem files, Path folder) {
    this.files = files;
    this.folder = folder;
  }

  /**
   * @throws ModelException if the file system is not known, or not reached
   */
  static RemoteModel open(String uri, Configuration hadoop) {
    Configuration mine = new Configuration(hadoop);
    // The checksum of a file is then that of its bytes, whatever blocks they are cut into, and can
    // be computed here as well.
    mine.set(COMBINE_MODE, "COMPOSITE_CRC");
    try {
      Path path = new Path(uri);
      // Not the JVM's shared one, which was made with other settings.
      FileSystem files = FileSystem.newInstance(path.toUri(), mine);
      return new RemoteModel(files, files.makeQualified(path));
    } catch (IOException | RuntimeException e) {
      throw new ModelException(
          uri,
          "cannot be reached: "
              + e
              + "; model.path needs a file system that Hadoop has the classes and settings for"
              + " here",
          e);
    }
  }

  String uri() {
    return folder.toString();
  }

  /** For messages. */
  String where(String name) {
    return folder + "/" + name;
  }

  /** The files, not folders, of a folder within the model's, {@code ""} for itself, by name. */
  Map<String, FileStatus> list(String within) throws IOException {
    Map<String, FileStatus> found = new TreeMap<>();
    for (FileStatus status : files.listStatus(path(within))) {
      if (status.isFile()) {
        found.put(status.getPath().getName(), status);
      }
    }
    return found;
  }

  boolean hasFolder(String within) throws IOException {
    try {
      return files.getFileStatus(path(within)).isDirectory();
    } catch (FileNotFoundException e) {
      return false;
    }
  }

  /** The file as its file system describes it now; empty if it is gone. */
  Optional<ModelFile> find(String name) throws IOException {
    Optional<ModelFile> listed = status(name);
    try {
      return listed.isEmpty()
          ? listed
          : Optional.of(listed.get().withChecksum(checksum(files.getFileChecksum(path(name)))));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  private static String checksum(FileChecksum checksum) {
    return checksum == null
        ? ""
        : checksum.getAlgorithmName() + ":" + HexFormat.of().formatHex(checksum.getBytes());
  }

  private Optional<ModelFile> status(String name) throws IOException {
    try {
      FileStatus status = files.getFileStatus(path(name));
      return Optional.of(
          new ModelFile(name, status.getLen(), status.getModificationTime(), "", ""));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  /**
   * @throws ModelException if any file is not as it was when the manifest was made
   */
  void requireUnchanged(ModelManifest manifest) throws IOException {
    for (ModelFile file : manifest.files()) {
      // Sizes first: a file that is being written has no checksum that could be asked for.
      Optional<ModelFile> now = status(file.name());
      if (now.isPresent() && now.get().size() == file.size() && file.hasChecksum()) {
        now = find(file.name());
      }
      if (now.isEmpty() || !file.sameContent(now.get())) {
        throw new ModelException(
            where(file.name()),
            "the model changed while it was read: "
                + now.map(ModelFile::describe).orElse("the file is gone")
                + ", expected "
                + file.describe()
                + "; run the job again when the model is complete");
      }
    }
  }

  FSDataInputStream open(String name) throws IOException {
    return files.open(path(name));
  }

  private Path path(String within) {
    return within.isEmpty() ? folder : new Path(folder, within);
  }

  /**
   * The bytes of a part of a file.
   *
   * @throws ModelException if the file ends before
   */
  static byte[] read(FSDataInputStream in, String where, long offset, int size) throws IOException {
    byte[] bytes = new byte[size];
    try {
      in.readFully(offset, bytes, 0, size);
      return bytes;
    } catch (EOFException e) {
      throw cutOff(where, offset + size, e);
    }
  }

  /** The file was listed with {@code expected} bytes at least, but has fewer. */
  static ModelException cutOff(String where, long expected, IOException cause) {
    return new ModelException(
        where,
        "ends before byte "
            + expected
            + ", although it was listed with as many; it is cut off, or changed while it was read",
        cause);
  }

  @Override
  public void close() throws IOException {
    files.close();
  }
}
