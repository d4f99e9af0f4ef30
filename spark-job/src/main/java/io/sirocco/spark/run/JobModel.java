package io.sirocco.spark.run;

import io.sirocco.arrow.ClassifyOptions;
import io.sirocco.arrow.EmbedOptions;
import io.sirocco.arrow.GenerateOptions;
import io.sirocco.arrow.ResultOptions;
import io.sirocco.arrow.ScoreOptions;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.EnginePlan;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.WeightOptions;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.exec.ExecutorEngine;
import io.sirocco.spark.exec.PlannedModel;
import io.sirocco.spark.exec.RowSettings;
import io.sirocco.spark.store.ModelManifest;
import io.sirocco.spark.store.ModelOutline;
import io.sirocco.spark.store.ModelPath;
import io.sirocco.spark.store.ModelSource;
import io.sirocco.spark.store.PreparedCache;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * A job's model, with its adapters, as the driver knows it: the folder itself where it is on this
 * machine, else an outline, without the weights, of the one elsewhere.
 */
final class JobModel implements AutoCloseable {
  private final JobConfig config;
  private final ModelSource source;
  private final Optional<ModelOutline> outline;
  private final SortedMap<String, ModelOutline> adapters;

  private JobModel(
      JobConfig config,
      ModelSource source,
      Optional<ModelOutline> outline,
      SortedMap<String, ModelOutline> adapters) {
    this.config = config;
    this.source = source;
    this.outline = outline;
    this.adapters = adapters;
  }

  /**
   * Needs no running Spark.
   *
   * @throws ModelException if the model is elsewhere, and cannot be read there
   */
  static JobModel open(JobConfig config) {
    SortedMap<String, ModelSource> sources = new TreeMap<>();
    SortedMap<String, ModelOutline> outlines = new TreeMap<>();
    Optional<ModelOutline> outline = Optional.empty();
    boolean complete = false;
    try {
      ModelSource model = ModelSource.local(config.model().path());
      if (ModelPath.isRemote(config.model().path())) {
        Configuration hadoop = hadoop();
        ModelManifest manifest = ModelManifest.of(config.model().path(), hadoop);
        model = ModelSource.remote(manifest, hadoop);
        outline = Optional.of(ModelOutline.open(manifest, hadoop));
      }
      for (var adapter : config.model().adapters().options().folders().entrySet()) {
        ModelSource source = ModelSource.local(adapter.getValue());
        if (ModelPath.isRemote(adapter.getValue())) {
          Configuration hadoop = hadoop();
          ModelManifest manifest = ModelManifest.ofAdapter(adapter.getValue(), hadoop);
          source = ModelSource.remote(manifest, hadoop);
          outlines.put(adapter.getKey(), ModelOutline.open(manifest, hadoop));
        }
        sources.put(adapter.getKey(), source);
      }
      complete = true;
      return new JobModel(config, ModelSource.withAdapters(model, sources), outline, outlines);
    } finally {
      if (!complete) {
        outline.ifPresent(ModelOutline::close);
        outlines.values().forEach(ModelOutline::close);
      }
    }
  }

  private static Configuration hadoop() {
    return SparkHadoopUtil.get().newConfiguration(new SparkConf());
  }

  /**
   * What executors like this JVM would run.
   *
   * @throws ModelException as {@link Engine#plan}
   */
  EnginePlan plan() {
    List<ModelManifest> copies =
        Stream.concat(outline.stream(), adapters.values().stream())
            .map(ModelOutline::manifest)
            .distinct()
            .toList();
    return onModel(options -> Engine.plan(options, PreparedCache.keepingHere(copies)));
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
    EngineOptions options = ExecutorEngine.onThisExecutor(engineOptions());
    SortedMap<String, String> folders = new TreeMap<>(options.adapters().folders());
    adapters.forEach((name, adapter) -> folders.put(name, adapter.folder().toString()));
    String model = outline.map(mine -> mine.folder().toString()).orElse(options.model());
    try {
      return use.apply(options.withModel(model).withAdapters(options.adapters().in(folders)));
    } catch (ModelException e) {
      ModelException told = outline.map(mine -> mine.explained(e)).orElse(e);
      for (ModelOutline adapter : adapters.values()) {
        told = adapter.explained(told);
      }
      throw told;
    }
  }

  /** For the executors, once the model is planned with. */
  RowSettings rowSettings(EnginePlan plan) {
    return new RowSettings(
        engineOptions(),
        resultOptions(plan),
        PlannedModel.of(source, plan),
        config.output().prefix());
  }

  private EngineOptions engineOptions() {
    return config.engineOptions().withThreads(ExecutorEngine.ALL_CORES);
  }

  private ResultOptions resultOptions(EnginePlan plan) {
    return switch (config.task()) {
      case CLASSIFY ->
          new ClassifyOptions(
              config.classify().threshold(),
              config.classify().topK().orElse(0),
              config.output().logits());
      case GENERATE ->
          new GenerateOptions(
              plan.samples(), config.generate().tokenIds(), config.generate().logprobs());
      case SCORE -> new ScoreOptions(config.score().topK().orElse(0), config.score().logprobs());
      case EMBED -> new EmbedOptions();
    };
  }

  /** Deletes the outlines. */
  @Override
  public void close() {
    outline.ifPresent(ModelOutline::close);
    adapters.values().forEach(ModelOutline::close);
  }
}
