package io.sirocco.spark.run;

import io.sirocco.engine.EnginePlan;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.sizing.TaskSizing;
import io.sirocco.spark.sizing.TaskTarget;
import io.sirocco.spark.sizing.Work;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/** How the rows of a job, with the columns of {@link EngineColumns#added}, become tasks. */
record JobTasks(JobConfig config, EnginePlan plan) {
  /** English text has about four characters to a token. */
  private static final int CHARACTERS_PER_TOKEN = 4;

  /** What a task shall last, and what it shall at least, so that starting it is worth it. */
  private static final double SECONDS = 120;

  private static final double LEAST_SECONDS = 15;

  /** Of matrix products, by one core of today's servers: 100 in float32, 200 in bfloat16. */
  private static final double OPERATIONS_PER_SECOND = 100e9;

  /** Of everything else that a token takes, on one core: most of the time of a tiny model. */
  private static final double SECONDS_PER_TOKEN = 30e-6;

  /** Checkpoints are bfloat16, most of them. */
  private static final int BYTES_PER_PARAMETER = 2;

  /** A task's share, where there is little to do, is this part of what each slot has to do. */
  private static final int TASKS_PER_SLOT = 3;

  /** The last tasks may be this much smaller than the first. */
  private static final int TAPER = 8;

  private static final int DEFAULT_NEW_TOKENS = 256;

  /** Tokens that a row is read and written with, by estimate. */
  Column tokens() {
    Column read =
        config.input().tokensColumn().isPresent()
            ? functions.size(
                functions.col(EngineColumns.quoted(config.input().tokensColumn().get())))
            : tokensOf(functions.col(EngineColumns.TEXT));
    Column limited = functions.least(read, functions.lit(config.model().maxTokens()));
    Column prompt = functions.coalesce(limited, functions.lit(0));
    return switch (config.task()) {
      case CLASSIFY -> prompt;
      case GENERATE -> prompt.plus(functions.lit(newTokens()));
      case SCORE -> prompt.plus(labelTokens());
      case EMBED -> prompt.plus(functions.lit(instructionTokens()));
    };
  }

  private int instructionTokens() {
    return config.embed().instruction().map(String::length).orElse(0) / CHARACTERS_PER_TOKEN;
  }

  private static Column tokensOf(Column text) {
    return functions.ceil(functions.length(text).divide(CHARACTERS_PER_TOKEN)).plus(1);
  }

  private long newTokens() {
    long texts = Math.max(plan.samples(), number(GenerationKey.NUM_BEAMS, 1));
    return texts * number(GenerationKey.MAX_NEW_TOKENS, DEFAULT_NEW_TOKENS);
  }

  private long number(GenerationKey<?> key, long fallback) {
    return plan.setting(key).map(Long::parseLong).orElse(fallback);
  }

  /** Those of the job, unless the row brings its own. */
  private Column labelTokens() {
    List<String> labels = config.score().labels();
    int characters = labels.stream().mapToInt(String::length).sum();
    Column common = functions.lit(characters / CHARACTERS_PER_TOKEN + labels.size());
    return config
        .score()
        .labelsColumn()
        .map(column -> functions.col(EngineColumns.quoted(column)))
        .map(own -> tokensOf(functions.array_join(own, " ")))
        .map(own -> functions.coalesce(own, common))
        .orElse(common);
  }

  /** The rows in partitions of the right size; {@code work}: theirs, by {@link #tokens}. */
  Dataset<Row> sized(Dataset<Row> rows, Work work) {
    return TaskSizing.sized(rows, tokens(), work, target(work, rows.sparkSession().sparkContext()));
  }

  private TaskTarget target(Work work, SparkContext context) {
    int cores = context.getConf().getInt("spark.task.cpus", 1);
    int slots = Math.max(1, context.defaultParallelism() / cores);
    if (config.input().tokensPerTask().isPresent()) {
      return given(config.input().tokensPerTask().get(), slots);
    }
    if (config.input().rowsPerTask().isPresent()) {
      double mean = (double) work.tokens() / Math.max(1, work.rows());
      return given(Math.round(config.input().rowsPerTask().get() * mean), slots);
    }
    double speed = cores / secondsPerToken();
    long least = Math.max(config.batch().maxTokens(), (long) (LEAST_SECONDS * speed));
    long most = Math.min((long) (SECONDS * speed), work.tokens() / TASKS_PER_SLOT / slots);
    return new TaskTarget(Math.max(most, least), least, slots);
  }

  private static TaskTarget given(long tokens, int slots) {
    return new TaskTarget(Math.max(1, tokens), Math.max(1, tokens / TAPER), slots);
  }

  /** On one core, by a rough estimate: tasks shall last minutes, not a number of seconds. */
  private double secondsPerToken() {
    double parameters = (double) plan.memory().weightsMapped() / BYTES_PER_PARAMETER;
    return 2 * parameters / OPERATIONS_PER_SECOND + SECONDS_PER_TOKEN;
  }
}
