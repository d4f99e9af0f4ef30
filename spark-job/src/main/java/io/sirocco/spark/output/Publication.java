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
import org.apache.hadoop.fs.FileAlreadyExistsException;
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
      Set.of(
          SUCCESS,
          FAILED,
          OutputTarget.OWN,
          "_temporary",
          "_metadata",
          "_common_metadata",
          "_spark_metadata");

  private static final String SPARK_STAGING = ".spark-staging";

  /** Tasks of another run that still write to the output may make the folder again. */
  private static final int RENAMES = 10;

  private final Path folder;
  private final Path aside;

  /** What such tasks have made goes into folders whose names begin so, until all is in place. */
  private final String remains;

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
    this.remains = "." + folder.getName() + ".sirocco-remains-";
    this.fileSystem = fileSystem;
  }

  /** Finishes a publication that was cut off between its renames. */
  public void recover() throws IOException {
    if (!renames()) {
      return;
    }
    if (fileSystem.exists(aside)) {
      Optional<Path> complete = complete(new Path(aside, OutputTarget.OWN));
      if (!holdsResults(folder)) {
        // Without new results, those that stepped aside for them come back.
        show(complete.orElse(aside));
      } else if (complete.isPresent()) {
        throw new IOException(
            folder
                + " holds results, and "
                + aside
                + " others that were to replace them; delete the one that is of no use, and run the"
                + " job again");
      }
    }
    finish();
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
  private boolean holdsResults(Path output) throws IOException {
    return fileSystem.exists(new Path(output, SUCCESS))
        || OutputTarget.holdsResults(fileSystem, output);
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
    try {
      show(new Path(new Path(aside, OutputTarget.OWN), name));
    } catch (IOException e) {
      if (!fileSystem.exists(folder)) {
        rename(aside, folder);
      }
      throw e;
    }
    finish();
  }

  /** Gives results the output's name. */
  private void show(Path results) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        rename(results, folder);
        return;
      } catch (FileAlreadyExistsException e) {
        if (attempt == RENAMES) {
          throw e;
        }
        putRemainsAside();
      }
    }
  }

  /** What tasks of another run have made of the output's folder. */
  private void putRemainsAside() throws IOException {
    Path to = newRemains();
    rename(folder, to);
    // Looked at where nobody puts anything into it any more.
    if (holdsResults(to)) {
      rename(to, folder);
      throw new IOException(folder + " holds results of another run; this one's are not shown");
    }
  }

  private Path newRemains() {
    return new Path(folder.getParent(), remains + UUID.randomUUID());
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
    if (fileSystem.exists(aside)) {
      deleteStaged(new Path(aside, OutputTarget.OWN));
      moveOwn();
      for (Path path : list(aside)) {
        if (isOfSomebodyElse(path) && !fileSystem.exists(new Path(folder, path.getName()))) {
          rename(path, new Path(folder, path.getName()));
        }
      }
      fileSystem.delete(aside, true);
    }
    for (Path path : list(folder.getParent())) {
      if (path.getName().startsWith(remains)) {
        keepDurable(new Path(path, OutputTarget.OWN));
        fileSystem.delete(path, true);
      }
    }
  }

  private void moveOwn() throws IOException {
    Path to = new Path(folder, OutputTarget.OWN);
    for (int attempt = 1; ; attempt++) {
      try {
        rename(new Path(aside, OutputTarget.OWN), to);
        return;
      } catch (FileNotFoundException e) {
        return; // It is where it belongs: another run has finished this publication.
      } catch (FileAlreadyExistsException e) {
        if (attempt == RENAMES) {
          throw e;
        }
        Path made = newRemains();
        fileSystem.mkdirs(made);
        rename(to, new Path(made, OutputTarget.OWN));
      }
    }
  }

  /** What tasks of another run have computed meanwhile counts like all else. */
  private void keepDurable(Path own) throws IOException {
    for (Path answers : list(new Path(own, OutputTarget.RESULTS))) {
      Path to =
          new Path(
              new Path(new Path(folder, OutputTarget.OWN), OutputTarget.RESULTS),
              answers.getName());
      fileSystem.mkdirs(to);
      for (Path attempt : list(answers)) {
        int number = 1;
        while (fileSystem.exists(new Path(to, DurableResults.name(number)))) {
          number++;
        }
        rename(attempt, new Path(to, DurableResults.name(number)));
      }
    }
  }

  /** Such as a README that begins with an underscore: readers of Parquet pass it over. */
  private static boolean isOfSomebodyElse(Path path) {
    return OutputTarget.isHidden(path)
        && !REPLACED.contains(path.getName())
        && !path.getName().startsWith(SPARK_STAGING)
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
