package io.sirocco.spark.job;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.EnginePlan;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.WeightOptions;
import io.sirocco.spark.exec.ExecutorEngine;
import io.sirocco.spark.exec.RowSettings;
import io.sirocco.spark.store.ModelManifest;
import io.sirocco.spark.store.ModelOutline;
import io.sirocco.spark.store.ModelSource;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * A job's model as the driver knows it: the folder itself where it is on this machine, else an
 * outline, without the weights, of the one elsewhere.
 */
final class JobModel implements AutoCloseable {
  /** Of two letters at least: one alone is a drive. */
  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:.*");

  private static final String FILE = "file:";

  private final JobConfig config;
  private final ModelSource source;
  private final Optional<ModelOutline> outline;

  private JobModel(JobConfig config, ModelSource source, Optional<ModelOutline> outline) {
    this.config = config;
    this.source = source;
    this.outline = outline;
  }

  /** Whether {@code model.path} is not a path of this machine. */
  static boolean isRemote(String path) {
    return SCHEME.matcher(path).matches() && !isFileUri(path);
  }

  /** Schemes are the same in capitals. */
  static boolean isFileUri(String path) {
    return path.regionMatches(true, 0, FILE, 0, FILE.length());
  }

  /**
   * Needs no running Spark.
   *
   * @throws ModelException if the model is elsewhere, and cannot be read there
   */
  static JobModel open(JobConfig config) {
    String path = config.model().path();
    if (!isRemote(path)) {
      return new JobModel(config, ModelSource.local(path), Optional.empty());
    }
    Configuration hadoop = SparkHadoopUtil.get().newConfiguration(new SparkConf());
    ModelManifest manifest = ModelManifest.of(path, hadoop);
    ModelOutline outline = ModelOutline.open(manifest, hadoop);
    return new JobModel(config, ModelSource.remote(manifest, hadoop), Optional.of(outline));
  }

  /**
   * What executors like this JVM would run.
   *
   * @throws ModelException as {@link Engine#plan}
   */
  EnginePlan plan() {
    return onModel(Engine::plan);
  }

  /**
   * An engine of the driver, which tokenizes; it computes nothing sensible where the model is
   * elsewhere.
   *
   * @throws ModelException as {@link Engine#open}
   */
  Engine openEngine() {
    return onModel(options -> Engine.open(preparingNothing(options)));
  }

  /** Weights in a form of their own take disk and time, and of an outline would be rubbish. */
  private static EngineOptions preparingNothing(EngineOptions options) {
    boolean int8 = options.precision() == PrecisionChoice.INT8;
    return options
        .withPrecision(int8 ? PrecisionChoice.BFLOAT16 : options.precision())
        .withWeights(new WeightOptions(WeightOptions.Form.STORED, ""));
  }

  private <T> T onModel(Function<EngineOptions, T> use) {
    EngineOptions options = ExecutorEngine.onThisExecutor(config.engineOptions());
    if (outline.isEmpty()) {
      return use.apply(options);
    }
    try {
      return use.apply(options.withModel(outline.get().folder().toString()));
    } catch (ModelException e) {
      throw outline.get().explained(e);
    }
  }

  /** For the executors, once the model is planned with. */
  RowSettings rowSettings(EnginePlan plan) {
    return config.rowSettings(source, plan);
  }

  /** Deletes the outline. */
  @Override
  public void close() {
    outline.ifPresent(ModelOutline::close);
  }
}
