package io.sirocco.model;

import io.sirocco.checkpoint.JsonFields;
import io.sirocco.checkpoint.ModelException;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * How positions become angles: {@code rope_parameters} of transformers 5, or {@code rope_theta} and
 * {@code rope_scaling} of transformers 4.
 *
 * @param theta base of the frequencies
 * @param scaling what is done to them for contexts longer than those trained on
 */
public record RopeParameters(double theta, Scaling scaling) {
  private static final double DEFAULT_THETA = 10000;
  private static final double DEFAULT_BETA_FAST = 32;
  private static final double DEFAULT_BETA_SLOW = 1;

  /** The forms, by their {@code rope_type}. */
  public sealed interface Scaling {}

  /** {@code default}: the frequencies as they are. */
  public record Unscaled() implements Scaling {}

  /** {@code linear}: frequencies divided by the factor. */
  public record Linear(double factor) implements Scaling {}

  /** {@code dynamic}: the base grows with rows longer than max_position_embeddings. */
  public record Dynamic(double factor) implements Scaling {}

  /** {@code yarn}: low frequencies are interpolated, high ones kept, with a ramp between. */
  public record Yarn(
      double factor,
      int originalPositions,
      double betaFast,
      double betaSlow,
      boolean truncate,
      OptionalDouble attentionFactor,
      OptionalDouble mscale,
      OptionalDouble mscaleAllDim)
      implements Scaling {}

  /** {@code llama3}: as yarn, with bounds given as wavelengths. */
  public record Llama3(
      double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalPositions)
      implements Scaling {}

  /** {@code longrope}: a factor per frequency, other ones for rows beyond the original context. */
  public record LongRope(
      List<Double> shortFactors,
      List<Double> longFactors,
      double factor,
      int originalPositions,
      OptionalDouble attentionFactor)
      implements Scaling {}

  /** As transformers 5 merges the two forms: a non-empty rope_scaling wins over rope_parameters. */
  static RopeParameters parse(JsonFields config, int headDim, int maxPositions) {
    JsonFields scaling = config.object("rope_scaling");
    JsonFields rope = scaling.isEmpty() ? config.object("rope_parameters") : scaling;
    double theta = rope.number("rope_theta", config.number("rope_theta", DEFAULT_THETA, 0), 0);
    String type = rope.text("rope_type").or(() -> rope.text("type")).orElse("default");
    OptionalInt inConfig = config.optionalInteger("original_max_position_embeddings", 1);
    int original =
        rope.integer("original_max_position_embeddings", inConfig.orElse(maxPositions), 1);
    return new RopeParameters(theta, scaling(rope, type, headDim, maxPositions, original));
  }

  private static Scaling scaling(
      JsonFields rope, String type, int headDim, int maxPositions, int original) {
    return switch (type) {
      case "default" -> new Unscaled();
      case "linear" -> new Linear(rope.requiredNumber("factor", 0));
      case "dynamic" -> {
        if (headDim == 2) {
          throw new ModelException(
              rope.where(), "rope_type dynamic is not defined for head_dim 2, expected 4 or more");
        }
        yield new Dynamic(rope.requiredNumber("factor", 0));
      }
      case "yarn" ->
          new Yarn(
              rope.requiredNumber("factor", 0),
              original,
              rope.number("beta_fast", DEFAULT_BETA_FAST, 0),
              rope.number("beta_slow", DEFAULT_BETA_SLOW, 0),
              rope.flag("truncate", true),
              optional(rope, "attention_factor"),
              optional(rope, "mscale"),
              optional(rope, "mscale_all_dim"));
      case "llama3" ->
          new Llama3(
              rope.requiredNumber("factor", 0),
              rope.requiredNumber("low_freq_factor", 0),
              rope.requiredNumber("high_freq_factor", 0),
              original);
      case "longrope" ->
          new LongRope(
              rope.numbers("short_factor", headDim / 2),
              rope.numbers("long_factor", headDim / 2),
              rope.number("factor", (double) maxPositions / original, 0),
              original,
              optional(rope, "attention_factor"));
      default ->
          throw new ModelException(
              rope.where(),
              "rope_type "
                  + type
                  + " is not known; expected default, linear, dynamic, yarn, llama3 or longrope");
    };
  }

  private static OptionalDouble optional(JsonFields rope, String key) {
    return rope.has(key) ? OptionalDouble.of(rope.number(key, 0, 0)) : OptionalDouble.empty();
  }
}
