package io.sirocco.spark.job;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.EnginePlan;
import io.sirocco.spark.exec.ColumnConflictException;
import io.sirocco.spark.exec.DataFrameTask;
import io.sirocco.spark.exec.RowColumns;
import io.sirocco.spark.exec.RowCounters;
import io.sirocco.spark.exec.RowSettings;
import io.sirocco.spark.exec.RunTotals;
import io.sirocco.spark.exec.RunningTotals;
import io.sirocco.spark.output.OutputTarget;
import java.io.PrintWriter;
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
    EnginePlan plan;
    RowSettings settings;
    try (JobModel model = JobModel.open(config)) {
      plan = model.plan();
      settings = model.rowSettings(plan);
    }
    PlanReport.print(config, plan, out);
    SparkSession spark = Sessions.open("sirocco " + ConfigSection.kebab(config.task()));
    OutputCheck check = OutputCheck.of(config, spark.sparkContext().hadoopConfiguration());
    OutputTarget target = check.target();
    if (check.nothingToDo()) {
      out.println("nothing done: " + target + " exists, and output.mode is ignore");
      return ExitCode.DONE;
    }
    JobInput input = new JobInput(spark, config.input());
    EngineColumns columns = new EngineColumns(config);
    Dataset<Row> rows = columns.added(input.rows());
    check.requireApartFrom(rows);
    check.requireWritable();
    RunTotals totals = new RunTotals();
    spark.sparkContext().register(totals, "sirocco");
    Dataset<Row> results = results(rows, columns.columns(), settings, totals);
    // Counting costs one pass over the input, which is nothing next to the model, and makes a time
    // left, and the check that no row was lost, possible.
    long expected = input.count(rows);
    long start = System.nanoTime();
    write(target, results, RunningTotals.follow(spark.sparkContext(), totals), expected);
    double seconds = (System.nanoTime() - start) * 1e-9;
    RunReport report = new RunReport(config, plan, totals, seconds);
    target.writeRecord(report.json(spark.version()));
    printSample(spark, target);
    report.print(out);
    out.println("results: " + target);
    requireEveryRow(expected, totals);
    return tooManyFailures(totals) ? ExitCode.TOO_MANY_FAILURES : ExitCode.DONE;
  }

  private Dataset<Row> results(
      Dataset<Row> rows, RowColumns columns, RowSettings settings, RunTotals totals) {
    try {
      return DataFrameTask.results(rows, columns, settings, RowCounters.into(totals));
    } catch (ColumnConflictException e) {
      throw new ConfigException(
          "output.prefix", config.output().prefix(), "another one: " + e.getMessage());
    }
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

  /** The results are there, whether or not a sample of them can be shown. */
  private void printSample(SparkSession spark, OutputTarget target) {
    out.println();
    try {
      out.print(ResultSample.of(spark.read().parquet(target.toString()), config));
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      out.println("no sample of the results: " + e.getMessage());
    }
  }
}
