package io.sirocco.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.JsonFields;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.SentenceFiles;
import io.sirocco.model.Pooling;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * What a model's folder says of embedding, where the library sentence-transformers wrote it: which
 * modules follow the decoder, how its hidden states are pooled, what is put before texts. What it
 * wants and we do not have is refused by name.
 *
 * <p>For one thread: a file is read when it is asked for, once.
 */
final class SentenceTransformer {
  /** Of all types, whose modules have had several places within the library. */
  private static final String LIBRARY = "sentence_transformers.";

  private static final String TRANSFORMER = "Transformer";
  private static final String POOLING = "Pooling";
  private static final String NORMALIZE = "Normalize";

  private static final String DEFAULT_MODE = "mean";

  /** What the library calls its modes, and what they are here. */
  private static final Map<String, Pooling> POOLINGS =
      Map.of("lasttoken", Pooling.LAST, DEFAULT_MODE, Pooling.MEAN);

  private static final String WITHOUT =
      "Without this file embed.pooling and embed.normalize say what is done";

  private static final int MOST_SHOWN = 200;
  private static final String MODE = "pooling_mode";
  private static final String MODE_PREFIX = MODE + "_";
  private static final String MODE_SUFFIX = "_tokens";

  /** What may follow one another; the last one need not be there. */
  private static final List<String> ORDER = List.of(TRANSFORMER, POOLING, NORMALIZE);

  private final Checkpoint checkpoint;

  /** In order, by the last part of their type; none if the folder is not of that kind. */
  private final List<String> modules;

  private final Map<String, JsonFields> files = new HashMap<>();

  private SentenceTransformer(Checkpoint checkpoint, List<String> modules) {
    this.checkpoint = checkpoint;
    this.modules = modules;
  }

  /**
   * @throws ModelException if modules follow the decoder that are not known, or in another order
   */
  static SentenceTransformer of(Checkpoint checkpoint) {
    String where = where(checkpoint, SentenceFiles.MODULES);
    List<String> modules = new ArrayList<>();
    for (JsonNode module : checkpoint.jsonArray(SentenceFiles.MODULES)) {
      String type = module.path("type").asText();
      String name = type.substring(type.lastIndexOf('.') + 1);
      String path = module.path("path").asText();
      boolean known =
          type.startsWith(LIBRARY)
              && switch (name) {
                case TRANSFORMER -> requirePath(where, name, path, "");
                case POOLING -> requirePath(where, name, path, SentenceFiles.POOLING_FOLDER);
                case NORMALIZE -> true;
                default -> false;
              };
      if (!known) {
        throw new ModelException(
            where,
            "has the module "
                + shown(type)
                + ", which is not supported; Transformer, Pooling and Normalize of"
                + " sentence_transformers are. "
                + WITHOUT);
      }
      modules.add(name);
    }
    boolean ordered =
        modules.equals(ORDER) || modules.equals(ORDER.subList(0, 2)) || modules.isEmpty();
    if (!ordered) {
      throw new ModelException(
          where,
          "has the modules "
              + shown(String.join(", ", modules))
              + ", expected Transformer, Pooling and, for vectors of length 1, Normalize. "
              + WITHOUT);
    }
    return new SentenceTransformer(checkpoint, List.copyOf(modules));
  }

  private static boolean requirePath(String where, String name, String path, String expected) {
    if (!path.equals(expected)) {
      throw new ModelException(
          where, "has the module %s in '%s', expected '%s'".formatted(name, shown(path), expected));
    }
    return true;
  }

  /** How hidden states are pooled; empty if the folder does not say. */
  Optional<Pooling> pooling() {
    if (!modules.contains(POOLING)) {
      return Optional.empty();
    }
    if (!Files.isRegularFile(checkpoint.folder().resolve(SentenceFiles.POOLING))) {
      throw new ModelException(
          where(checkpoint, SentenceFiles.POOLING),
          "is missing, but "
              + SentenceFiles.MODULES
              + " has the module Pooling; add it, or set embed.pooling");
    }
    List<String> modes = modes(fields(SentenceFiles.POOLING));
    if (modes.size() != 1 || !POOLINGS.containsKey(modes.get(0))) {
      throw new ModelException(
          where(checkpoint, SentenceFiles.POOLING),
          "pools by "
              + shown(String.join(" and ", modes))
              + ", expected one of lasttoken and mean; embed.pooling sets another");
    }
    return Optional.of(POOLINGS.get(modes.get(0)));
  }

  /**
   * Older releases have a flag for each mode, such as pooling_mode_mean_tokens, newer ones one. The
   * library takes the mean where no flag is true.
   */
  private static List<String> modes(JsonFields pooling) {
    if (pooling.has(MODE)) {
      return List.of(pooling.text(MODE).orElseThrow());
    }
    List<String> modes = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : pooling.object().properties()) {
      String key = field.getKey();
      if (key.startsWith(MODE_PREFIX) && pooling.flag(key, false)) {
        String mode = key.substring(MODE_PREFIX.length());
        modes.add(
            mode.endsWith(MODE_SUFFIX)
                ? mode.substring(0, mode.length() - MODE_SUFFIX.length())
                : mode);
      }
    }
    return modes.isEmpty() ? List.of(DEFAULT_MODE) : modes;
  }

  /** Whether embeddings have length 1; empty if the folder does not say. */
  Optional<Boolean> normalizes() {
    return modules.isEmpty() ? Optional.empty() : Optional.of(modules.contains(NORMALIZE));
  }

  /** Whether the tokens of a prompt count in a mean. */
  boolean meansIncludePrompts() {
    return !modules.contains(POOLING) || fields(SentenceFiles.POOLING).flag("include_prompt", true);
  }

  /** Whether texts are to be in lower case, which nothing here does. */
  void requireTextsAsTheyAre() {
    if (fields(SentenceFiles.TRANSFORMER).flag("do_lower_case", false)) {
      throw new ModelException(
          where(checkpoint, SentenceFiles.TRANSFORMER),
          "do_lower_case is true, which is not supported; write texts in lower case, and set it to"
              + " false");
    }
  }

  /** Where the library cuts longer texts off. */
  OptionalInt maxTokens() {
    return fields(SentenceFiles.TRANSFORMER).optionalInteger("max_seq_length", 1);
  }

  /** What is put before texts unless they are asked for with another prompt; empty for nothing. */
  Optional<String> defaultPrompt() {
    return fields(SentenceFiles.PROMPTS).text("default_prompt_name").map(this::prompt);
  }

  /**
   * The prompt of that name.
   *
   * @throws ModelException if there is none
   */
  String prompt(String name) {
    JsonFields prompts = fields(SentenceFiles.PROMPTS).object("prompts");
    return prompts
        .text(name)
        .orElseThrow(
            () ->
                new ModelException(
                    where(checkpoint, SentenceFiles.PROMPTS),
                    "has no prompt " + shown(name) + "; it has " + names(prompts)));
  }

  private static String names(JsonFields prompts) {
    Map<String, String> names = new TreeMap<>();
    prompts.object().fieldNames().forEachRemaining(name -> names.put(name, name));
    return names.isEmpty() ? "none" : shown(String.join(", ", names.keySet()));
  }

  /** The object in a file; without fields if the folder has no such file. */
  private JsonFields fields(String file) {
    return files.computeIfAbsent(
        file,
        name ->
            new JsonFields(
                checkpoint.json(name).orElseGet(JsonNodeFactory.instance::objectNode),
                where(checkpoint, name)));
  }

  private static String where(Checkpoint checkpoint, String file) {
    return checkpoint.folder().resolve(file).toString();
  }

  /** Of a text of any length, what fits into a message. */
  static String shown(String text) {
    return text.length() <= MOST_SHOWN ? text : text.substring(0, MOST_SHOWN) + "...";
  }
}
