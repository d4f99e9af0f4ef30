package io.sirocco.spark.output;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;

/** The folder that a run's results go to: on any file system that Hadoop knows. */
public final class OutputTarget {
  private static final String RECORD = "_sirocco.json";

  private final Path folder;
  private final Configuration hadoop;

  /** {@code folder}: a path or URI; relative ones are on the default file system. */
  public OutputTarget(String folder, Configuration hadoop) {
    this.folder = new Path(folder);
    this.hadoop = hadoop;
  }

  /** Whether something is there already. */
  public boolean exists() {
    try {
      return fileSystem().exists(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot look at " + folder, e);
    }
  }

  /**
   * Which of these paths is, or as a glob matches, this folder, something that holds it, or
   * something within it: it must not be written.
   */
  public List<String> overlapping(List<String> paths) {
    String mine = qualified(folder);
    return paths.stream()
        .flatMap(path -> matches(new Path(path)))
        .map(this::qualified)
        .filter(other -> mine.equals(other) || isWithin(mine, other) || isWithin(other, mine))
        .toList();
  }

  /** What a glob finds; the path itself if it is none, or finds nothing. */
  private Stream<Path> matches(Path path) {
    try {
      FileStatus[] found = path.getFileSystem(hadoop).globStatus(path);
      return found == null || found.length == 0
          ? Stream.of(path)
          : Arrays.stream(found).map(FileStatus::getPath);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot look for " + path, e);
    }
  }

  /**
   * Writes the rows as Parquet, through Spark's own committer: the folder is complete, with {@code
   * _SUCCESS}, or without effect.
   */
  public void write(Dataset<Row> results, SaveMode mode) {
    results.write().mode(mode).parquet(folder.toString());
  }

  /** Puts the record of the run beside the results, where readers of the results skip it. */
  public void writeRecord(String json) {
    try (OutputStream out = fileSystem().create(new Path(folder, RECORD), true)) {
      out.write(json.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + new Path(folder, RECORD), e);
    }
  }

  @Override
  public String toString() {
    return folder.toString();
  }

  private static boolean isWithin(String path, String folder) {
    return path.startsWith(folder.endsWith("/") ? folder : folder + "/");
  }

  private String qualified(Path path) {
    try {
      FileSystem system = path.getFileSystem(hadoop);
      URI uri = system.makeQualified(path).toUri();
      return uri.getScheme() + ":" + uri.getPath();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot resolve " + path, e);
    }
  }

  private FileSystem fileSystem() throws IOException {
    return folder.getFileSystem(hadoop);
  }
}
