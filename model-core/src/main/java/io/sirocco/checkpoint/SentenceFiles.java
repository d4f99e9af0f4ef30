package io.sirocco.checkpoint;

import java.util.List;
import java.util.function.Predicate;

/** The small files that the library sentence-transformers writes beside a model, by their place. */
public final class SentenceFiles {
  /** A list of what follows one another; where it is, the folder is of that kind. */
  public static final String MODULES = "modules.json";

  /** Where the one module that has a file of its own has it. */
  public static final String POOLING_FOLDER = "1_Pooling";

  /** How hidden states are pooled. */
  public static final String POOLING = POOLING_FOLDER + "/config.json";

  /** What is put before texts, by name. */
  public static final String PROMPTS = "config_sentence_transformers.json";

  /** How texts are tokenized. */
  public static final String TRANSFORMER = "sentence_bert_config.json";

  private SentenceFiles() {}

  /** All of them. */
  public static List<String> all() {
    return List.of(MODULES, POOLING, PROMPTS, TRANSFORMER);
  }

  /**
   * Those that can count in a folder that has or has not files of its own, whether or not they are
   * there: how states are pooled is read only where the list of modules says that they are.
   */
  public static List<String> countingWhere(Predicate<String> has) {
    return all().stream().filter(file -> !file.equals(POOLING) || has.test(MODULES)).toList();
  }
}
