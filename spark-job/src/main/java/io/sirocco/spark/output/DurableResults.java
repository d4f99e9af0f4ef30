package io.sirocco.spark.output;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Results that outlive the run that computed them, whatever ends it: each task's are there, in a
 * file of their own, as soon as the task has ended. Every run, an attempt, has a folder for what it
 * computes; all attempts whose answers are the same work on the same results.
 *
 * <p>A row is known by {@link #ROW}, which its writer derives from all that its answer depends on;
 * so whichever attempt has computed it, and however often, its answer is one.
 */
public final class DurableResults {
  /** {@code binary}: which row of the input a result belongs to. */
  public static final String ROW = "__sirocco_row";

  /** {@code int}: the attempt that computed it. */
  static final String ATTEMPT = "attempt";

  private static final String FOLDER = "attempt-";
  private static final String PLAN = "_plan.json";
  private static final String STATUS = "status";
  private static final String OK = "ok";
  private static final String SAMPLE = "sample_index";

  private static final Pattern DAMAGE =
      Pattern.compile(
          "org\\.apache\\.parquet\\.[\\w.$]*Exception|ChecksumException|is not a Parquet file"
              + "|can not read class org\\.apache\\.parquet");

  private static final Pattern AWAY =
      Pattern.compile("BlockMissingException|java\\.net\\.|ClosedChannel|stopped SparkContext");

  /** Of the rows with several results, the first one; all others. */
  private static final Column FIRST =
      functions.coalesce(functions.col(SAMPLE), functions.lit(0)).equalTo(0);

  private final Path folder;
  private final Configuration hadoop;
  private final Results results;

  /**
   * What is kept of a row.
   *
   * @param type the result columns, without {@link #ROW}
   * @param samples results of a row that has not failed; several are written in their order
   */
  public record Results(StructType type, int samples) {}

  /**
   * @param folder of all attempts
   */
  DurableResults(Path folder, Results results, Configuration hadoop) {
    this.folder = folder;
    this.results = results;
    this.hadoop = hadoop;
  }

  /** The numbers of the attempts that have begun so far, ascending. */
  public List<Integer> attempts() throws IOException {
    return folders().map(DurableResults::number).sorted().toList();
  }

  /** The JSON that an attempt began with. */
  public String plan(int attempt) throws IOException {
    try (InputStream in = fileSystem().open(new Path(folder(attempt), PLAN))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /**
   * Begins a new attempt; no other run gets the same number.
   *
   * @param plan JSON, kept with the attempt
   */
  public int begin(String plan) throws IOException {
    int attempt = attempts().stream().max(Integer::compare).orElse(0) + 1;
    while (true) {
      try (OutputStream out = fileSystem().create(new Path(folder(attempt), PLAN), false)) {
        out.write(plan.getBytes(StandardCharsets.UTF_8));
        return attempt;
      } catch (IOException e) {
        // File systems have several exceptions for a file that another run makes at this moment.
        if (!fileSystem().exists(new Path(folder(attempt), PLAN))) {
          throw e;
        }
        attempt++;
      }
    }
  }

  /**
   * Adds results, which have {@link #ROW} and the result columns. Where the file system renames
   * atomically, a task's file appears as the task is committed: one file, so all of it or nothing.
   * Elsewhere the committer that Spark is configured with decides, which is when all tasks have
   * ended.
   */
  public void write(Dataset<Row> results, int attempt) {
    DataFrameWriter<Row> writer =
        results
            .withColumn(ATTEMPT, functions.lit(attempt))
            .write()
            .mode(SaveMode.Append)
            // Two files of a task could be torn apart.
            .option("maxRecordsPerFile", 0);
    if (OutputTarget.renamesAtomically(folder)) {
      writer = writer.option("mapreduce.fileoutputcommitter.algorithm.version", "2");
    }
    writer.parquet(folder(attempt).toString());
  }

  /** Keys of the rows that need not be computed again; {@link #ROW} alone, some several times. */
  public Dataset<Row> done(SparkSession spark, FailedRows failed) throws IOException {
    Column ok = functions.col(STATUS).equalTo(OK);
    Column done = failed == FailedRows.RETRY ? ok : functions.lit(true);
    if (hasSamples()) {
      // Of a torn file, the beginning can be read: a row is there when its last sample is.
      Column last = functions.col(SAMPLE).equalTo(results.samples() - 1);
      done = done.and(functions.not(ok).or(last));
    }
    return all(spark).filter(done).select(ROW);
  }

  /** How many rows each attempt has results for; attempts without any are absent. */
  public Map<Integer, Long> rows(SparkSession spark) throws IOException {
    Map<Integer, Long> rows = new TreeMap<>();
    (hasSamples() ? all(spark).filter(FIRST) : all(spark))
        .groupBy(ATTEMPT)
        .count()
        .collectAsList()
        .forEach(row -> rows.put(row.getInt(0), row.getLong(1)));
    return rows;
  }

  /** Keys of the rows that have failed, and have not been computed since. */
  public Dataset<Row> failed(SparkSession spark) throws IOException {
    return newest(spark).filter(functions.col(STATUS).notEqual(OK)).select(ROW);
  }

  /** {@link #ROW} and the result columns: of each row those of the newest attempt, once. */
  public Dataset<Row> newest(SparkSession spark) throws IOException {
    Column age =
        functions.dense_rank().over(Window.partitionBy(ROW).orderBy(functions.col(ATTEMPT).desc()));
    String[] one = hasSamples() ? new String[] {ROW, SAMPLE} : new String[] {ROW};
    return all(spark)
        .withColumn("age", age)
        .filter(functions.col("age").equalTo(1))
        .dropDuplicates(one)
        .drop("age", ATTEMPT);
  }

  /** Removes what killed attempts have left of tasks that did not end. */
  public void removeUnfinished() throws IOException {
    for (FileStatus attempt : folders().toList()) {
      fileSystem().delete(new Path(attempt.getPath(), "_temporary"), true);
    }
  }

  private boolean hasSamples() {
    return results.type().getFieldIndex(SAMPLE).isDefined();
  }

  /**
   * All results of all attempts. A file that cannot be read, such as one that a crash of the
   * machine has left half on its disk, has none: its rows are computed again.
   */
  private Dataset<Row> all(SparkSession spark) throws IOException {
    String[] folders = folders().map(status -> status.getPath().toString()).toArray(String[]::new);
    return folders.length == 0
        ? spark.createDataFrame(List.of(), stored())
        : reader(spark).option("ignoreCorruptFiles", "true").parquet(folders);
  }

  /** A page that has changed on its disk is not read as if it had not. */
  private DataFrameReader reader(SparkSession spark) {
    return spark.read().schema(stored()).option("parquet.page.verify-checksum.enabled", "true");
  }

  private StructType stored() {
    StructType stored = new StructType().add(ROW, DataTypes.BinaryType);
    for (StructField field : results.type().fields()) {
      stored = stored.add(field);
    }
    return stored.add(ATTEMPT, DataTypes.IntegerType);
  }

  /**
   * Reads every file whole, and gives those that are damaged a name that is passed over from then
   * on. For the rare case that a row counts as done, but its result cannot be read.
   *
   * @return the names that they had
   */
  public List<String> putDamagedAside(SparkSession spark) throws IOException {
    List<String> damaged = new ArrayList<>();
    for (FileStatus attempt : folders().toList()) {
      for (FileStatus file : fileSystem().listStatus(attempt.getPath())) {
        Path path = file.getPath();
        if (!OutputTarget.isHidden(path) && isDamaged(spark, path)) {
          Path aside = new Path(path.getParent(), "_damaged-" + path.getName());
          if (!fileSystem().rename(path, aside)) {
            throw new IOException(path + " is damaged, and cannot be renamed to " + aside);
          }
          damaged.add(path.toString());
        }
      }
    }
    return damaged;
  }

  /** Only what Parquet itself complains of: a disk or an executor that is away damages nothing. */
  private boolean isDamaged(SparkSession spark, Path file) {
    try {
      reader(spark)
          .option("ignoreCorruptFiles", "false")
          .option("ignoreMissingFiles", "false")
          .parquet(file.toString())
          .write()
          .format("noop")
          .mode(SaveMode.Overwrite)
          .save();
      return false;
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      StringBuilder all = new StringBuilder();
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        all.append(cause).append('\n');
      }
      if (DAMAGE.matcher(all).find() && !AWAY.matcher(all).find()) {
        return true;
      }
      throw e;
    }
  }

  private Stream<FileStatus> folders() throws IOException {
    try {
      return Arrays.stream(fileSystem().listStatus(folder))
          .filter(status -> status.isDirectory())
          .filter(status -> status.getPath().getName().matches(FOLDER + "\\d{4,9}"))
          .filter(status -> status.getPath().getName().equals(name(number(status))));
    } catch (FileNotFoundException e) {
      return Stream.empty();
    }
  }

  private static int number(FileStatus status) {
    return Integer.parseInt(status.getPath().getName().substring(FOLDER.length()));
  }

  private Path folder(int attempt) {
    return new Path(folder, name(attempt));
  }

  /** Of an attempt's folder. */
  static String name(int attempt) {
    return String.format("%s%04d", FOLDER, attempt);
  }

  private FileSystem fileSystem() throws IOException {
    return folder.getFileSystem(hadoop);
  }
}
