package io.sirocco.spark.output;

import java.io.IOException;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;

/**
 * Puts complete results where a job's output is, in the place of earlier ones.
 *
 * <p>Where the file system renames atomically, the results are written within the output's own
 * {@code _sirocco/publish}, looked at, and then put in place by three renames: the output steps
 * aside, the new results take its name, {@code _sirocco} follows. A reader sees the old results, or
 * for a moment none, or the new ones with {@code _SUCCESS}. {@link #recover} finishes what a crash
 * between the renames has left.
 *
 * <p>On other file systems, which are object stores, results are written in place through the
 * committer that Spark is configured with, after the old ones and their {@code _SUCCESS} have been
 * deleted: they are complete when {@code _SUCCESS} is there.
 */
public final class Publication {
  private static final String STAGING = OutputTarget.OWN + "/publish";
  private static final String SUCCESS = "_SUCCESS";

  /** Failed rows, where they are kept apart. */
  static final String FAILED = "_failed";

  private final Path folder;
  private final Path aside;
  private final FileSystem fileSystem;

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
    Path staged = new Path(aside, STAGING);
    if (!fileSystem.exists(staged)) {
      finish();
      return;
    }
    if (fileSystem.exists(folder)) {
      throw new IOException(
          aside
              + " holds results that were to replace "
              + folder
              + ", which has been made again since; move one of them away, and run the job again");
    }
    rename(staged, folder);
    finish();
  }

  /** Where the results are before they are published; the place itself where nothing is renamed. */
  public Path staging() {
    return renames() ? new Path(folder, STAGING) : folder;
  }

  /** Where failed rows are that are kept apart, before they are published. */
  public Path stagedFailures() {
    return new Path(staging(), FAILED);
  }

  /** Writes the results to {@link #staging}, as Parquet. */
  public void stage(Dataset<Row> results) throws IOException {
    clear();
    write(results, staging());
  }

  /** As {@link #stage}, with those that failed in a folder of their own. */
  public void stage(Dataset<Row> ok, Dataset<Row> failed) throws IOException {
    clear();
    write(failed, stagedFailures());
    write(ok, staging());
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
      fileSystem.delete(staging(), true);
      return;
    }
    // The mark goes first: without it, what is left is known to be incomplete.
    fileSystem.delete(new Path(folder, SUCCESS), false);
    fileSystem.delete(stagedFailures(), true);
    for (FileStatus status : fileSystem.listStatus(folder)) {
      if (!OutputTarget.isHidden(status.getPath())) {
        fileSystem.delete(status.getPath(), true);
      }
    }
  }

  /** Shows what has been staged. */
  public void publish() throws IOException {
    if (renames()) {
      rename(folder, aside);
      rename(new Path(aside, STAGING), folder);
      finish();
    } else {
      fileSystem.create(new Path(folder, SUCCESS), true).close();
    }
  }

  /** The results are in place; what they need of the old folder follows, the rest goes. */
  private void finish() throws IOException {
    Path own = new Path(aside, OutputTarget.OWN);
    if (fileSystem.exists(own)) {
      rename(own, new Path(folder, OutputTarget.OWN));
    }
    fileSystem.delete(aside, true);
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
