package io.sirocco.spark.run;

import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.config.OutputMode;
import io.sirocco.spark.output.OutputTarget;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Whether results may be written where the job says: asked before anything is computed. */
final class OutputCheck {
  private static final Pattern GLOB = Pattern.compile("[*?\\[\\]{}\\\\]");

  private final JobConfig config;
  private final OutputTarget target;

  private OutputCheck(JobConfig config, OutputTarget target) {
    this.config = config;
    this.target = target;
  }

  /**
   * @throws ConfigException if {@code output.path} is no path
   */
  static OutputCheck of(JobConfig config, Configuration hadoop) {
    if (GLOB.matcher(config.output().path()).find()) {
      throw new ConfigException(
          "output.path",
          config.output().path(),
          "a path without any of * ? [ ] { } \\, which Spark would take for a pattern when it reads"
              + " the results back");
    }
    try {
      return new OutputCheck(config, new OutputTarget(config.output().path(), hadoop));
    } catch (IllegalArgumentException e) {
      throw new ConfigException("output.path", config.output().path(), "a path: " + e.getMessage());
    }
  }

  OutputTarget target() {
    return target;
  }

  /**
   * Whether results are there already, and are to be kept.
   *
   * @throws ConfigException if nothing may be written there
   */
  boolean nothingToDo() {
    try {
      requireApart(target.overlapping(config.input().path()));
      if (!target.exists()) {
        return false;
      }
      requireSameKind();
    } catch (IOException | RuntimeException e) {
      if (e instanceof ConfigException problem) {
        throw problem;
      }
      throw unusable(e);
    }
    if (config.output().mode() == OutputMode.ERROR) {
      throw new ConfigException(
          "output.path",
          config.output().path(),
          "a path where nothing is yet; or set output.mode to overwrite, append, ignore or"
              + " resume");
    }
    return config.output().mode() == OutputMode.IGNORE;
  }

  /**
   * Finishes what a run that was cut off has begun to publish.
   *
   * @throws ConfigException if that is not possible
   */
  void recover() {
    try {
      target.publication().recover();
    } catch (IOException | RuntimeException e) {
      throw unusable(e);
    }
  }

  /** Results that can be resumed, and others, would be taken for each other. */
  private void requireSameKind() throws IOException {
    OutputMode mode = config.output().mode();
    if (mode == OutputMode.APPEND && target.isResumable()) {
      throw new ConfigException(
          "output.mode",
          "append",
          "resume: output.path holds results of a job with that mode, which would replace what is"
              + " appended");
    }
    if (mode == OutputMode.RESUME && !target.isResumable() && target.holdsResults()) {
      throw new ConfigException(
          "output.path",
          config.output().path(),
          "a path where nothing is yet, or the output of a job with output.mode resume; its results"
              + " are of another mode, or its _sirocco/results has been deleted");
    }
    if (!target.ownIsFolder()) {
      throw new ConfigException(
          "output.path",
          config.output().path(),
          "a folder in which _sirocco is a folder, too: it is a file, which is not Sirocco's");
    }
  }

  /** Refuses to write into what the rows are read from, also behind tables and links. */
  void requireApartFrom(Dataset<Row> rows) throws IOException {
    requireApart(target.overlappingFiles(Arrays.asList(rows.inputFiles())));
  }

  /** Finds out now, not after hours, whether the folder can be made, or added to, or replaced. */
  void requireWritable() {
    try {
      boolean there = target.exists();
      if (config.output().mode().adds() && there) {
        target.requireWritable();
      }
      boolean added = config.output().mode() == OutputMode.APPEND && there;
      if (!added) {
        target.makeParent();
      }
    } catch (IOException e) {
      throw new ConfigException(
          "output.path",
          config.output().path(),
          "a folder that can be made, and written to: " + e.getMessage());
    }
  }

  private void requireApart(List<String> overlapping) {
    if (!overlapping.isEmpty()) {
      throw new ConfigException(
          "output.path",
          config.output().path(),
          "a folder apart from input.path and the files read: " + overlapping.get(0));
    }
  }

  /** File systems that are unknown, or lack a class or a host, say so in exceptions of any kind. */
  private static ConfigException unusable(Exception e) {
    return new ConfigException("input.path or output.path cannot be used: " + causes(e));
  }

  private static String causes(Throwable problem) {
    StringBuilder text = new StringBuilder(String.valueOf(problem.getMessage()));
    for (Throwable cause = problem.getCause(); cause != null; cause = cause.getCause()) {
      text.append(": ").append(cause.getMessage());
    }
    return text.toString();
  }
}
