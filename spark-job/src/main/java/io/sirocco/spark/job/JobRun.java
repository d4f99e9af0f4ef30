package io.sirocco.spark.job;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.EnginePlan;
import io.sirocco.spark.exec.ClassifySettings;
import io.sirocco.spark.exec.ColumnConflictException;
import io.sirocco.spark.exec.DataFrameClassifier;
import io.sirocco.spark.exec.ExecutorEngine;
import io.sirocco.spark.exec.RowCounters;
import io.sirocco.spark.exec.RunTotals;
import io.sirocco.spark.exec.RunningTotals;
import io.sirocco.spark.output.OutputTarget;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import org.apache.spark.SparkException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A job from its plan to its summary. */
final class JobRun {
  private final JobConfig config;
  private final PrintWriter out;
  private final PrintWriter err;

  private JobRun(JobConfig config, PrintWriter out, PrintWriter err) {
    this.config = config;
    this.out = out;
    this.err = err;
  }

  /** {@code out} gets plan and summary, {@code err} the progress line. */
  static JobRun of(JobConfig config, PrintWriter out, PrintWriter err) {
    return new JobRun(config, out, err);
  }

  /**
   * The exit code.
   *
   * @throws ConfigException if the configuration does not fit the input or the output
   * @throws ModelException if the model cannot be used, here or on an executor
   * @throws Exception if Spark fails
   */
  int run() throws Exception {
    EngineOptions options = config.engineOptions();
    EnginePlan plan = Engine.plan(ExecutorEngine.onThisExecutor(options));
    PlanReport.print(config, plan, out);
    SparkSession spark = Sessions.open("sirocco " + config.task());
    OutputTarget target =
        new OutputTarget(config.output().path(), spark.sparkContext().hadoopConfiguration());
    if (skipsBecauseOf(target)) {
      return ExitCode.DONE;
    }
    JobInput input = new JobInput(spark, config.input());
    Dataset<Row> rows = input.withModelInput(input.rows());
    RunTotals totals = new RunTotals();
    spark.sparkContext().register(totals, "sirocco");
    Dataset<Row> results = classified(rows, input, options, plan, totals);
    // Counting costs one pass over the input, which is nothing next to the model, and makes a time
    // left, and the check that no row was lost, possible.
    long expected = rows.count();
    long start = System.nanoTime();
    write(target, results, RunningTotals.follow(spark.sparkContext(), totals), expected);
    double seconds = (System.nanoTime() - start) * 1e-9;
    requireEveryRow(expected, totals);
    RunReport report = new RunReport(config, plan, totals, seconds);
    target.writeRecord(report.json(spark.version()));
    printSample(spark, target);
    report.print(out);
    out.println("results: " + target);
    return tooManyFailures(totals) ? ExitCode.TOO_MANY_FAILURES : ExitCode.DONE;
  }

  private Dataset<Row> classified(
      Dataset<Row> rows, JobInput input, EngineOptions options, EnginePlan plan, RunTotals totals) {
    ClassifySettings settings =
        new ClassifySettings(
            options, config.classifyOptions(), plan.labels(), config.output().prefix());
    try {
      return DataFrameClassifier.classify(
          rows, input.modelInput(), settings, RowCounters.into(totals));
    } catch (ColumnConflictException e) {
      throw new ConfigException(
          "output.prefix", config.output().prefix(), "another one: " + e.getMessage());
    }
  }

  /** Existing results are refused before anything is computed. */
  private boolean skipsBecauseOf(OutputTarget target) {
    try {
      return isThereToBeKept(target);
    } catch (UncheckedIOException e) {
      throw new ConfigException(
          "input.path or output.path cannot be used: " + e.getMessage() + ": " + e.getCause());
    }
  }

  private boolean isThereToBeKept(OutputTarget target) {
    var overlapping = target.overlapping(config.input().path());
    if (!overlapping.isEmpty()) {
      throw new ConfigException(
          "output.path", config.output().path(), "a folder apart from input.path " + overlapping);
    }
    if (!target.exists()) {
      return false;
    }
    if (config.output().mode() == OutputMode.IGNORE) {
      out.println("nothing done: " + target + " exists, and output.mode is ignore");
      return true;
    }
    if (config.output().mode() == OutputMode.ERROR) {
      throw new ConfigException(
          "output.path",
          config.output().path(),
          "a path where nothing is yet; or set output.mode to overwrite, append or ignore");
    }
    return false;
  }

  private void write(OutputTarget target, Dataset<Row> results, RunningTotals totals, long expected)
      throws Exception {
    try (Progress progress = Progress.of(err, totals, expected)) {
      progress.start();
      target.write(results, config.output().mode().saveMode());
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      throw asModelProblem(e);
    }
  }

  /** An executor's complaint about the model arrives as text within Spark's exception. */
  private static Exception asModelProblem(Exception e) {
    String marker = ModelException.class.getName() + ": ";
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      int at = message.indexOf(marker);
      if (cause instanceof ModelException model) {
        return model;
      }
      if (cause instanceof SparkException && at >= 0) {
        String rest = message.substring(at + marker.length());
        return new ModelException("on an executor", rest.lines().findFirst().orElse(rest), e);
      }
    }
    return e;
  }

  private void requireEveryRow(long expected, RunTotals totals) {
    if (totals.value().rows() != expected) {
      throw new IllegalStateException(
          totals.value().rows()
              + " rows were written, but the input has "
              + expected
              + "; did it change while the job ran?");
    }
  }

  private boolean tooManyFailures(RunTotals totals) {
    double rate =
        totals.value().rows() == 0
            ? 0
            : (double) totals.value().rowsFailed() / totals.value().rows();
    boolean tooMany = rate > config.errors().maxFailureRate();
    if (tooMany) {
      err.printf(
          "%d of %d rows failed, more than errors.max-failure-rate %s allows%n",
          totals.value().rowsFailed(), totals.value().rows(), config.errors().maxFailureRate());
    }
    return tooMany;
  }

  private void printSample(SparkSession spark, OutputTarget target) {
    out.println();
    out.print(ResultSample.of(spark.read().parquet(target.toString()), config));
  }
}
