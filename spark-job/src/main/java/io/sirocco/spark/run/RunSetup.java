package io.sirocco.spark.run;

import io.sirocco.engine.EnginePlan;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.exec.HostReport;
import io.sirocco.spark.exec.Preflight;
import io.sirocco.spark.exec.RowSettings;
import io.sirocco.spark.output.OutputTarget;
import io.sirocco.spark.sizing.Work;
import java.io.PrintWriter;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A job that is ready to run: configuration, model, input and output are found to fit together.
 *
 * @param settings that all executors work with
 * @param hosts that the engine is open on
 * @param rows of the input, with the columns made for the engine
 * @param work how many they are, and how long
 * @param err for the progress line and what goes wrong
 */
record RunSetup(
    JobConfig config,
    EnginePlan plan,
    RowSettings settings,
    List<HostReport> hosts,
    SparkSession spark,
    EngineColumns columns,
    Dataset<Row> rows,
    Work work,
    OutputTarget target,
    Stages stages,
    PrintWriter err) {

  /** The same on these hosts, with what they have settled. */
  RunSetup on(Preflight.Result found) {
    return new RunSetup(
        config,
        plan,
        found.applied(settings),
        found.hosts(),
        spark,
        columns,
        rows,
        work,
        target,
        stages,
        err);
  }

  /** The same, with what there is to do. */
  RunSetup counted(Work found) {
    return new RunSetup(
        config, plan, settings, hosts, spark, columns, rows, found, target, stages, err);
  }

  /** Rows of the input. */
  long expected() {
    return work.rows();
  }

  /** How the rows become tasks. */
  JobTasks tasks() {
    return new JobTasks(config, plan);
  }
}
