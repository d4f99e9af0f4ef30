package io.sirocco.spark.run;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.EnginePlan;
import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.config.ConfigSection;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.config.OutputMode;
import io.sirocco.spark.exec.Preflight;
import io.sirocco.spark.exec.RowSettings;
import io.sirocco.spark.exec.Totals;
import io.sirocco.spark.output.FailedRows;
import io.sirocco.spark.output.OutputTarget;
import io.sirocco.spark.sizing.Work;
import io.sirocco.spark.store.FetchException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A job from its plan to its summary. */
public final class JobRun {
  private final JobConfig config;
  private final FailedRows failed;
  private final PrintWriter out;
  private final PrintWriter err;

  private JobRun(JobConfig config, FailedRows failed, PrintWriter out, PrintWriter err) {
    this.config = config;
    this.failed = failed;
    this.out = out;
    this.err = err;
  }

  /**
   * {@code out} gets plan and summary, {@code err} the progress line.
   *
   * @throws ConfigException if failed rows shall be computed again, but nothing is resumed
   */
  public static JobRun of(JobConfig config, FailedRows failed, PrintWriter out, PrintWriter err) {
    if (failed == FailedRows.RETRY && config.output().mode() != OutputMode.RESUME) {
      throw new ConfigException(
          "--retry-failed goes with output.mode: resume, found "
              + ConfigSection.kebab(config.output().mode()));
    }
    return new JobRun(config, failed, out, err);
  }

  /**
   * The exit code.
   *
   * @throws ConfigException if the configuration does not fit the input or the output
   * @throws ModelException if the model cannot be used, here or on an executor
   * @throws ResumableException if Spark fails, and the job can go on from what is done
   * @throws Exception if Spark fails
   */
  public int run() throws Exception {
    Stages stages = new Stages();
    EnginePlan plan;
    RowSettings planned;
    try (JobModel model = JobModel.open(config)) {
      plan = model.plan();
      planned = model.rowSettings(plan);
    }
    PlanReport.print(config, plan, out);
    SparkSession spark = Sessions.open("sirocco " + ConfigSection.kebab(config.task()));
    OutputCheck check = OutputCheck.of(config, spark.sparkContext().hadoopConfiguration());
    OutputTarget target = check.target();
    check.recover();
    if (check.nothingToDo()) {
      out.println("nothing done: " + target + " exists, and output.mode is ignore");
      return ExitCode.DONE;
    }
    JobInput input = new JobInput(spark, config.input());
    EngineColumns columns = new EngineColumns(config);
    Dataset<Row> rows = columns.added(input.rows());
    check.requireApartFrom(rows);
    check.requireWritable();
    columns.resultType(rows, planned); // Before anything is computed: columns may be in conflict.
    RunFacts facts =
        facts(
            new RunSetup(
                config, plan, planned, List.of(), spark, columns, rows, Work.NONE, target, stages,
                err),
            input);
    String record = new RunRecord(facts).json(spark.version());
    if (facts.complete()) {
      target.writeRecord(record);
      printSample(facts.setup());
    } else {
      target.writeStopped(record);
    }
    new RunReport(facts).print(out);
    if (!facts.complete()) {
      return stopped(facts.setup().expected());
    }
    out.println("results: " + target);
    facts.counts().requireEveryRow(facts.setup().expected(), plan.samples());
    return tooManyFailures(facts.counts().totals()) ? ExitCode.TOO_MANY_FAILURES : ExitCode.DONE;
  }

  private Preflight.Result preflight(RunSetup planned) throws Exception {
    Preflight.Differences differences =
        config.model().requireIdentical()
            ? Preflight.Differences.REFUSE
            : Preflight.Differences.SAY;
    Preflight.Result hosts =
        planned
            .stages()
            .time(
                "preflight",
                () ->
                    Preflight.run(planned.spark().sparkContext(), planned.settings(), differences));
    PreflightReport.print(hosts, planned.plan(), out);
    return hosts;
  }

  /** From here on a resumable job is one that can go on, whatever ends it. */
  private RunFacts facts(RunSetup planned, JobInput input) throws Exception {
    try {
      RunSetup setup = counted(planned.on(preflight(planned)), input);
      return resumable() ? new ResumableRun(setup, failed).run() : new PlainRun(setup).run();
    } catch (ConfigException e) {
      throw e;
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      throw explained(e, planned.target());
    }
  }

  /**
   * Counting costs one pass over the input, which is nothing next to the model, and makes a time
   * left, and the check that no row was lost, possible.
   */
  private static RunSetup counted(RunSetup setup, JobInput input) throws Exception {
    return setup.counted(
        setup.stages().time("count", () -> input.work(setup.rows(), setup.tasks().tokens())));
  }

  private boolean resumable() {
    return config.output().mode() == OutputMode.RESUME;
  }

  private Exception explained(Exception e, OutputTarget target) {
    Optional<ModelException> ofTheModel = onAnExecutor(e, ModelException.class);
    if (ofTheModel.isPresent()) {
      return ofTheModel.get();
    }
    if (resumable()) {
      return new ResumableException(
          "the job has failed, but what it has done is kept in "
              + target
              + "; the same command goes on from there",
          e);
    }
    Optional<ModelException> notArrived = onAnExecutor(e, FetchException.class);
    return notArrived.isPresent() ? notArrived.get() : e;
  }

  /** An executor's complaint about the model arrives as text within Spark's exception. */
  private static Optional<ModelException> onAnExecutor(
      Exception e, Class<? extends RuntimeException> complaint) {
    String marker = complaint.getName() + ": ";
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      int at = message.indexOf(marker);
      if (complaint.isInstance(cause)) {
        return Optional.of(
            cause instanceof ModelException model ? model : new ModelException("here", message, e));
      }
      if (cause instanceof SparkException && at >= 0) {
        String rest = message.substring(at + marker.length());
        return Optional.of(
            new ModelException("on an executor", rest.lines().findFirst().orElse(rest), e));
      }
    }
    return Optional.empty();
  }

  private boolean tooManyFailures(Totals totals) {
    boolean tooMany = totals.rowsFailed() > config.errors().allowed(totals.rows());
    if (tooMany) {
      err.println(failures(totals.rowsFailed(), totals.rows()));
    }
    return tooMany;
  }

  private int stopped(long expected) {
    err.println("more of " + expected + " rows have failed than " + limits());
    err.println(
        "stopped; what is done is kept: run the job again with other limits, or another input, and"
            + " it goes on");
    return ExitCode.TOO_MANY_FAILURES;
  }

  private String failures(long failed, long rows) {
    return failed + " of " + rows + " rows failed, more than " + limits();
  }

  private String limits() {
    return config.errors().maxFailures().isPresent()
        ? "errors.max-failures "
            + config.errors().maxFailures().getAsLong()
            + " and errors.max-failure-rate "
            + config.errors().maxFailureRate()
            + " allow"
        : "errors.max-failure-rate " + config.errors().maxFailureRate() + " allows";
  }

  /** The results are there, whether or not a sample of them can be shown. */
  private void printSample(RunSetup setup) {
    out.println();
    try {
      Dataset<Row> results = setup.spark().read().parquet(setup.target().toString());
      out.print(ResultSample.of(results, setup.settings().resultColumns(), config));
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      out.println("no sample of the results: " + e.getMessage());
    }
  }
}
