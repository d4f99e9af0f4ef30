package io.sirocco.spark.output;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;

/**
 * Puts complete results where a job's output is, in the place of earlier ones.
 *
 * <p>Where the file system renames atomically, the results are written to a folder of this run's
 * own within the output's {@code _sirocco}, looked at, and then put in place by three renames: the
 * output steps aside, the new results take its name, {@code _sirocco} follows. A reader sees the
 * old results, or for a moment none, or the new ones with {@code _SUCCESS}. {@link #recover}
 * finishes what a crash between the renames has left. Another run on the same output may make this
 * one fail, but not show what is incomplete.
 *
 * <p>On other file systems, which are object stores, results are written in place through the
 * committer that Spark is configured with, after the old ones and their {@code _SUCCESS} have been
 * deleted: they are complete when {@code _SUCCESS} is there.
 */
public final class Publication {
  private static final String STAGING = "publish-";

  /** Beside a staged folder: it has been looked at, and is complete. */
  private static final String VERIFIED = ".verified";

  private static final String SUCCESS = "_SUCCESS";

  /** Failed rows, where they are kept apart. */
  static final String FAILED = "_failed";

  /** What the results bring themselves; other files with such names are somebody else's. */
  private static final Set<String> REPLACED =
      Set.of(SUCCESS, FAILED, OutputTarget.OWN, "_temporary");

  /** Tasks of another run that still write to the output may make the folder again. */
  private static final int RENAMES = 10;

  private final Path folder;
  private final Path aside;
  private final FileSystem fileSystem;
  private final String name = STAGING + UUID.randomUUID();
  private Map<Path, Long> staged = Map.of();

  /**
   * @throws IOException if the folder is the root of its file system, which cannot be replaced
   */
  Publication(Path folder, FileSystem fileSystem) throws IOException {
    if (folder.getParent() == null) {
      throw new IOException(folder + " is the root of its file system; results need a folder");
    }
    this.folder = folder;
    this.aside = new Path(folder.getParent(), "." + folder.getName() + ".sirocco-replaced");
    this.fileSystem = fileSystem;
  }

  /** Finishes a publication that was cut off between its renames. */
  public void recover() throws IOException {
    if (!fileSystem.exists(aside)) {
      return;
    }
    Optional<Path> complete = complete(new Path(aside, OutputTarget.OWN));
    if (holdsResults()) {
      if (complete.isPresent()) {
        throw new IOException(
            folder
                + " holds results, and "
                + aside
                + " others that were to replace them; delete the one that is of no use, and run the"
                + " job again");
      }
    } else {
      fileSystem.delete(folder, true);
      // Without new results, those that stepped aside for them come back.
      rename(complete.orElse(aside), folder);
    }
    if (fileSystem.exists(aside)) {
      finish();
    }
  }

  /** Among what runs have staged, that which has been looked at. */
  private Optional<Path> complete(Path own) throws IOException {
    for (Path path : list(own)) {
      Path results = new Path(own, path.getName().replace(VERIFIED, ""));
      if (path.getName().startsWith(STAGING)
          && path.getName().endsWith(VERIFIED)
          && fileSystem.exists(results)) {
        return Optional.of(results);
      }
    }
    return Optional.empty();
  }

  /** Whether the folder is more than what tasks leave that go on writing to it. */
  private boolean holdsResults() throws IOException {
    return fileSystem.exists(new Path(folder, SUCCESS))
        || list(folder).stream().anyMatch(path -> !OutputTarget.isHidden(path));
  }

  private List<Path> list(Path parent) throws IOException {
    try {
      return Stream.of(fileSystem.listStatus(parent)).map(FileStatus::getPath).toList();
    } catch (FileNotFoundException e) {
      return List.of();
    }
  }

  /** Where the results are before they are published; the place itself where nothing is renamed. */
  public Path staging() {
    return renames() ? new Path(new Path(folder, OutputTarget.OWN), name) : folder;
  }

  /** Where failed rows are that are kept apart, before they are published. */
  public Path stagedFailures() {
    return new Path(staging(), FAILED);
  }

  /** Writes the results to {@link #staging}, as Parquet. */
  public void stage(Dataset<Row> results) throws IOException {
    clear();
    write(results, staging());
    staged = files();
  }

  /** As {@link #stage}, with those that failed in a folder of their own. */
  public void stage(Dataset<Row> ok, Dataset<Row> failed) throws IOException {
    clear();
    write(failed, stagedFailures());
    write(ok, staging());
    staged = files();
  }

  /** The mark of complete results in place comes when they have been looked at. */
  private void write(Dataset<Row> results, Path to) {
    results
        .write()
        .mode(SaveMode.Append)
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", renames())
        .parquet(to.toString());
  }

  private void clear() throws IOException {
    if (renames()) {
      deleteStaged(new Path(folder, OutputTarget.OWN));
      return;
    }
    // The mark goes first: without it, what is left is known to be incomplete.
    fileSystem.delete(new Path(folder, SUCCESS), false);
    fileSystem.delete(stagedFailures(), true);
    for (Path path : list(folder)) {
      if (!OutputTarget.isHidden(path)) {
        fileSystem.delete(path, true);
      }
    }
  }

  /** Copies of the results that runs have left which were cut off. */
  private void deleteStaged(Path own) throws IOException {
    for (Path path : list(own)) {
      if (path.getName().startsWith(STAGING)) {
        fileSystem.delete(path, true);
      }
    }
  }

  /** What is staged, with sizes. */
  private Map<Path, Long> files() throws IOException {
    Map<Path, Long> files = new TreeMap<>();
    RemoteIterator<LocatedFileStatus> all = fileSystem.listFiles(staging(), true);
    while (all.hasNext()) {
      LocatedFileStatus file = all.next();
      files.put(file.getPath(), file.getLen());
    }
    return files;
  }

  /** Forgets what has been staged. */
  public void discard() throws IOException {
    if (renames()) {
      fileSystem.delete(staging(), true);
    }
  }

  /**
   * Shows what has been staged.
   *
   * @throws IOException if it is not as it was written, or cannot be put in place; {@link #recover}
   *     then does what is left to do
   */
  public void publish() throws IOException {
    if (!renames()) {
      fileSystem.create(new Path(folder, SUCCESS), true).close();
      return;
    }
    verify();
    rename(folder, aside);
    Path results = new Path(new Path(aside, OutputTarget.OWN), name);
    for (int attempt = 1; fileSystem.exists(results); attempt++) {
      try {
        rename(results, folder);
      } catch (IOException e) {
        if (attempt == RENAMES || !fileSystem.exists(folder) || holdsResults()) {
          throw e;
        }
        fileSystem.delete(folder, true);
      }
    }
    finish();
  }

  /** From here on, {@link #recover} may show what is staged. */
  void verify() throws IOException {
    requireAsWritten();
    fileSystem.create(staging().suffix(VERIFIED), true).close();
  }

  private void requireAsWritten() throws IOException {
    Map<Path, Long> now;
    try {
      now = files();
    } catch (FileNotFoundException e) {
      now = Map.of();
    }
    if (!now.equals(staged) || !fileSystem.exists(new Path(staging(), SUCCESS))) {
      throw new IOException(
          staging()
              + " is not as it was written; does another job have the same output.path? Nothing of"
              + " it is shown");
    }
  }

  /** The results are in place; what they need of the old folder follows, the rest goes. */
  private void finish() throws IOException {
    Path own = new Path(aside, OutputTarget.OWN);
    deleteStaged(own);
    Path to = new Path(folder, OutputTarget.OWN);
    for (int attempt = 1; fileSystem.exists(own); attempt++) {
      try {
        rename(own, to);
      } catch (IOException e) {
        if (attempt == RENAMES || !fileSystem.exists(to)) {
          throw e;
        }
        fileSystem.delete(to, true);
      }
    }
    for (Path path : list(aside)) {
      if (isOfSomebodyElse(path) && !fileSystem.exists(new Path(folder, path.getName()))) {
        rename(path, new Path(folder, path.getName()));
      }
    }
    fileSystem.delete(aside, true);
  }

  /** Such as a README that begins with an underscore: readers of Parquet pass it over. */
  private static boolean isOfSomebodyElse(Path path) {
    return OutputTarget.isHidden(path)
        && !REPLACED.contains(path.getName())
        && !path.getName().endsWith(".crc");
  }

  private boolean renames() {
    return OutputTarget.renamesAtomically(folder);
  }

  /** Never into, or over, what is there: another run may have put it there. */
  private void rename(Path from, Path to) throws IOException {
    FileContext.getFileContext(from.toUri(), fileSystem.getConf())
        .rename(from, to, Options.Rename.NONE);
  }
}
