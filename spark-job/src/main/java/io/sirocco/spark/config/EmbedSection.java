package io.sirocco.spark.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.engine.EmbedPrompt;
import io.sirocco.engine.PoolingChoice;
import io.sirocco.engine.Task;
import io.sirocco.engine.Toggle;
import java.util.Optional;

/** The keys of {@code embed}. */
public final class EmbedSection {
  /** Of the section. */
  public static final String NAME = "embed";

  /** For {@code prompt-name}: nothing is put before texts, whatever the model's folder has. */
  public static final String NO_PROMPT = "none";

  private static final String AUTO = "auto";
  private static final int MOST_DIMENSIONS = 1 << 20;

  private EmbedSection() {}

  static JobConfig.Embed read(ConfigSection section) {
    return new JobConfig.Embed(
        section.choice("pooling", PoolingChoice.AUTO, PoolingChoice.class),
        toggle(section, "normalize"),
        section.count("dimensions", MOST_DIMENSIONS),
        section.text("instruction"),
        section.text("prompt-name"),
        toggle(section, "append-eos"));
  }

  /** Reads back as the same. */
  static void write(JobConfig.Embed embed, ObjectNode object) {
    object.put("pooling", ConfigSection.kebab(embed.pooling()));
    put(object, "normalize", embed.normalize());
    embed.dimensions().ifPresent(dimensions -> object.put("dimensions", dimensions));
    embed.instruction().ifPresent(text -> object.put("instruction", text));
    embed.promptName().ifPresent(name -> object.put("prompt-name", name));
    put(object, "append-eos", embed.appendEos());
  }

  /** For rows that are texts. */
  static Task.Embed task(JobConfig.Embed embed) {
    return task(embed, prompt(embed), embed.appendEos());
  }

  /** For rows that are tokens, which are used as they are. */
  static Task.Embed taskOfTokens(JobConfig.Embed embed) {
    return task(embed, EmbedPrompt.ofTokens(), Toggle.FALSE);
  }

  private static Task.Embed task(JobConfig.Embed embed, EmbedPrompt prompt, Toggle appendEos) {
    return new Task.Embed(
        embed.pooling(), embed.normalize(), embed.dimensions().orElse(0), prompt, appendEos);
  }

  private static EmbedPrompt prompt(JobConfig.Embed embed) {
    Optional<EmbedPrompt> named =
        embed
            .promptName()
            .map(name -> name.equals(NO_PROMPT) ? EmbedPrompt.none() : EmbedPrompt.named(name));
    return embed
        .instruction()
        .map(EmbedPrompt::instruction)
        .or(() -> named)
        .orElseGet(EmbedPrompt::ofFolder);
  }

  /** YAML's own words for yes and no are not text. */
  private static Toggle toggle(ConfigSection section, String key) {
    Optional<JsonNode> given = section.value(key);
    if (given.isPresent() && given.get().isTextual()) {
      if (given.get().asText().equals(AUTO)) {
        return Toggle.AUTO;
      }
      throw section.problem(key, given.get(), "auto, true or false");
    }
    return given.isEmpty() ? Toggle.AUTO : section.flag(key, false) ? Toggle.TRUE : Toggle.FALSE;
  }

  private static void put(ObjectNode object, String key, Toggle toggle) {
    if (toggle == Toggle.AUTO) {
      object.put(key, AUTO);
    } else {
      object.put(key, toggle == Toggle.TRUE);
    }
  }
}
