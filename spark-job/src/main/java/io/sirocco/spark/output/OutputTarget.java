package io.sirocco.spark.output;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsAction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The folder that a run's results go to: on any file system that Hadoop knows. */
public final class OutputTarget {
  /** Sirocco's own, beside the results; readers of Parquet skip names that begin so. */
  static final String OWN = "_sirocco";

  private static final String RECORD = "run.json";
  private static final String STOPPED = "stopped-run.json";

  /** Of {@link #OWN}: durable results, by the answers they are. */
  static final String RESULTS = "results";

  /** Where a finished file or folder gets its name in one step, whoever looks. */
  private static final Set<String> RENAMING = Set.of("file", "hdfs", "viewfs");

  private final Path folder;
  private final Configuration hadoop;

  /**
   * {@code folder}: a path or URI; relative ones are on the default file system.
   *
   * @throws IllegalArgumentException if it is neither
   */
  public OutputTarget(String folder, Configuration hadoop) {
    this.folder = new Path(folder);
    this.hadoop = hadoop;
  }

  /**
   * A column that cannot be written: results are Parquet, which does not have all types of Spark.
   */
  public static Optional<StructField> refused(StructType results) {
    ParquetFileFormat parquet = new ParquetFileFormat();
    return Stream.of(results.fields())
        .filter(field -> !parquet.supportDataType(field.dataType()))
        .findFirst();
  }

  /** Whether something is there already. */
  public boolean exists() throws IOException {
    return fileSystem().exists(folder);
  }

  /** Whether there are results that runs with output.mode resume go on from. */
  public boolean isResumable() throws IOException {
    return fileSystem().exists(new Path(own(), RESULTS));
  }

  /** Whether the place of Sirocco's own folder is free, or taken by one. */
  public boolean ownIsFolder() throws IOException {
    return !fileSystem().exists(own()) || fileSystem().getFileStatus(own()).isDirectory();
  }

  /** Whether there is a file that readers of Parquet would take for results. */
  public boolean holdsResults() throws IOException {
    return holdsResults(fileSystem(), folder);
  }

  /** As {@link #holdsResults()}, of a folder that need not be there. */
  static boolean holdsResults(FileSystem fileSystem, Path folder) throws IOException {
    try {
      return Stream.of(fileSystem.listStatus(folder))
          .anyMatch(status -> !isHidden(status.getPath()));
    } catch (FileNotFoundException e) {
      return false;
    }
  }

  static boolean isHidden(Path path) {
    return path.getName().startsWith("_") || path.getName().startsWith(".");
  }

  /**
   * Results that outlive a run; from now on, this is an output that can be resumed.
   *
   * @param answers hexadecimal digits: of all that the answers depend on, besides the rows
   * @param results what is kept of a row
   */
  public DurableResults durable(String answers, DurableResults.Results results) throws IOException {
    Path mine = new Path(new Path(own(), RESULTS), answers);
    fileSystem().mkdirs(mine);
    return new DurableResults(mine, results, hadoop);
  }

  /** Removes the durable results of other answers: nothing goes on from them any more. */
  public void deleteOtherAnswers(String answers) throws IOException {
    Path results = new Path(own(), RESULTS);
    for (FileStatus status : fileSystem().listStatus(results)) {
      if (!status.getPath().getName().equals(answers)) {
        fileSystem().delete(status.getPath(), true);
      }
    }
  }

  /** How complete results get here. */
  public Publication publication() throws IOException {
    return new Publication(fileSystem().makeQualified(folder), fileSystem());
  }

  /** Whether a rename shows a folder completely or not at all, and does not copy it. */
  static boolean renamesAtomically(Path qualified) {
    return RENAMING.contains(String.valueOf(qualified.toUri().getScheme()));
  }

  private Path own() throws IOException {
    return new Path(fileSystem().makeQualified(folder), OWN);
  }

  /** Makes the folders above this one. */
  public void makeParent() throws IOException {
    Path parent = fileSystem().makeQualified(folder).getParent();
    if (parent == null) {
      return;
    }
    if (!fileSystem().mkdirs(parent)) {
      throw new IOException("cannot make " + parent);
    }
    requireWritable(parent);
  }

  /** That files can be added to this folder, which is there; the one above it does not matter. */
  public void requireWritable() throws IOException {
    requireWritable(fileSystem().makeQualified(folder));
  }

  /** A local disk knows more of this user than its permissions say. */
  private void requireWritable(Path qualified) throws IOException {
    if (!qualified.toUri().getScheme().equals("file")) {
      fileSystem().access(qualified, FsAction.WRITE);
    } else if (!Files.isWritable(java.nio.file.Path.of(qualified.toUri().getPath()))) {
      throw new IOException(qualified.toUri().getPath() + " cannot be written to");
    }
  }

  /**
   * Which of these paths is, or as a glob matches, this folder, something that holds it, or
   * something within it: it must not be written.
   */
  public List<String> overlapping(List<String> globs) throws IOException {
    List<Path> paths = new ArrayList<>();
    for (String glob : globs) {
      paths.addAll(matches(new Path(glob)));
    }
    return overlappingPaths(paths);
  }

  /** As {@link #overlapping}, of files as Spark names those it reads: by URI, never as a glob. */
  public List<String> overlappingFiles(List<String> uris) throws IOException {
    return overlappingPaths(uris.stream().map(OutputTarget::unescaped).toList());
  }

  private List<String> overlappingPaths(List<Path> paths) throws IOException {
    String mine = canonical(folder);
    List<String> found = new ArrayList<>();
    for (Path path : paths) {
      String other = canonical(path);
      if (mine.equals(other) || isWithin(mine, other) || isWithin(other, mine)) {
        found.add(other);
      }
    }
    return found;
  }

  /** Spark escapes spaces and the like; a source of its own kind may not, and is taken as it is. */
  private static Path unescaped(String uri) {
    try {
      return new Path(new URI(uri));
    } catch (URISyntaxException e) {
      return new Path(uri);
    }
  }

  /** What a glob finds; the path itself if it is none, or finds nothing. */
  private List<Path> matches(Path path) throws IOException {
    FileStatus[] found = path.getFileSystem(hadoop).globStatus(path);
    List<Path> paths = new ArrayList<>();
    for (FileStatus status : found == null ? new FileStatus[0] : found) {
      paths.add(status.getPath());
    }
    return paths.isEmpty() ? List.of(path) : paths;
  }

  /**
   * Writes the rows as Parquet, through Spark's own committer: they are there completely, with
   * {@code _SUCCESS}, or not at all. To overwrite, Spark deletes what was there before it computes
   * anything.
   */
  public void write(Dataset<Row> results, SaveMode mode) {
    results.write().mode(mode).parquet(folder.toString());
  }

  /**
   * Puts the record of the run beside the results, where readers of the results skip it; that of a
   * run that stopped before is of no use any more.
   */
  public void writeRecord(String json) throws IOException {
    write(RECORD, json);
    fileSystem().delete(record(STOPPED), false);
  }

  /** The record of a run that has stopped; that of the results that are there stays. */
  public void writeStopped(String json) throws IOException {
    write(STOPPED, json);
  }

  private void write(String name, String json) throws IOException {
    try (OutputStream out = fileSystem().create(record(name), true)) {
      out.write(json.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Where failed rows are that are kept apart. */
  public String failures() {
    return new Path(folder, Publication.FAILED).toString();
  }

  /** The record of the last run; empty if there is none. */
  public Optional<String> readRecord() throws IOException {
    try (InputStream in = fileSystem().open(record(RECORD))) {
      return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  private Path record(String name) throws IOException {
    return new Path(own(), name);
  }

  @Override
  public String toString() {
    return folder.toString();
  }

  private static boolean isWithin(String path, String folder) {
    return path.startsWith(folder.endsWith("/") ? folder : folder + "/");
  }

  /** One name for one place, whatever links lead there. */
  private String canonical(Path path) throws IOException {
    URI uri = path.getFileSystem(hadoop).makeQualified(path).toUri();
    return uri.getScheme().equals("file")
        ? "file:" + withoutLinks(java.nio.file.Path.of(uri.getPath()))
        : uri.getScheme() + "://" + uri.getAuthority() + uri.getPath();
  }

  /** Of what exists of the path; the rest stays as it is. */
  private static java.nio.file.Path withoutLinks(java.nio.file.Path path) throws IOException {
    if (Files.exists(path)) {
      return path.toRealPath();
    }
    java.nio.file.Path parent = path.getParent();
    java.nio.file.Path name = path.getFileName();
    return parent == null || name == null ? path : withoutLinks(parent).resolve(name);
  }

  private FileSystem fileSystem() throws IOException {
    return folder.getFileSystem(hadoop);
  }
}
