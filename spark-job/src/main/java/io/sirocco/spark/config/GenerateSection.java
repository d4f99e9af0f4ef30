package io.sirocco.spark.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import io.sirocco.sampling.InvalidSettingException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The keys of {@code generate}: the settings of generation by their names in
 * generation_config.json, with hyphens, and a few of the job's own.
 */
public final class GenerateSection {
  /** Of the section. */
  public static final String NAME = "generate";

  /** For {@link JobConfig.Generate#kvMemory}: the engine chooses. */
  public static final long AUTO = 0;

  static final String AUTO_TEXT = "auto";

  /** What the library calls {@code stop_strings}. */
  private static final String STOP = "stop";

  private static final Pattern BYTES = Pattern.compile("([1-9][0-9]{0,11})([kmgt])");
  private static final String UNITS = " kmgt";
  private static final String KV_MEMORY = "auto, a number of bytes, or one such as 512m or 4g";

  private GenerateSection() {}

  static JobConfig.Generate read(ConfigSection section) {
    Map<String, JsonNode> settings = new LinkedHashMap<>();
    for (GenerationKey<?> key : GenerationKey.all()) {
      String name = name(key.name());
      section.value(name).ifPresent(value -> settings.put(name, value));
    }
    JobConfig.Generate generate =
        new JobConfig.Generate(
            settings,
            kvMemory(section),
            section.flag("token-ids", false),
            section.flag("logprobs", false));
    try {
      options(generate);
    } catch (InvalidSettingException e) {
      throw problem(e);
    }
    return generate;
  }

  /**
   * @throws InvalidSettingException if a setting does not take its value
   */
  static GenerationOptions options(JobConfig.Generate generate) {
    GenerationOptions options = GenerationOptions.none();
    for (GenerationKey<?> key : GenerationKey.all()) {
      Optional<JsonNode> value = Optional.ofNullable(generate.settings().get(name(key.name())));
      if (value.isPresent()) {
        options = options.withJson(key, value.get());
      }
    }
    return options;
  }

  /** Names the job's key, where the settings know their own. */
  public static ConfigException problem(InvalidSettingException e) {
    return new ConfigException(
        NAME + "." + name(e.key()) + e.getMessage().substring(e.key().length()));
  }

  /** The job's key for a setting. */
  private static String name(String setting) {
    return setting.equals(GenerationKey.STOP_STRINGS.name()) ? STOP : setting.replace('_', '-');
  }

  /** In bytes; {@link #AUTO} if the engine is to choose. */
  private static long kvMemory(ConfigSection section) {
    String key = "kv-memory";
    Optional<JsonNode> given = section.value(key);
    if (given.isEmpty() || given.get().asText().equals(AUTO_TEXT)) {
      return AUTO;
    }
    JsonNode value = given.get();
    if (value.isIntegralNumber() && value.canConvertToLong() && value.asLong() > 0) {
      return value.asLong();
    }
    Matcher bytes = BYTES.matcher(value.asText().toLowerCase(Locale.ROOT));
    if (!value.isTextual() || !bytes.matches()) {
      throw section.problem(key, value, KV_MEMORY);
    }
    long number = Long.parseLong(bytes.group(1));
    int shift = 10 * UNITS.indexOf(bytes.group(2));
    if (number > Long.MAX_VALUE >> shift) {
      throw section.problem(key, value, KV_MEMORY + ", below 8388608t");
    }
    return number << shift;
  }
}
