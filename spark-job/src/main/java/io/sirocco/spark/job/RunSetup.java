package io.sirocco.spark.job;

import io.sirocco.engine.EnginePlan;
import io.sirocco.spark.output.OutputTarget;
import java.io.PrintWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A job that is ready to run: configuration, model, input and output are found to fit together.
 *
 * @param rows of the input, with the columns made for the engine
 * @param expected how many they are
 * @param err for the progress line and what goes wrong
 */
record RunSetup(
    JobConfig config,
    EnginePlan plan,
    SparkSession spark,
    EngineColumns columns,
    Dataset<Row> rows,
    long expected,
    OutputTarget target,
    Stages stages,
    PrintWriter err) {}
