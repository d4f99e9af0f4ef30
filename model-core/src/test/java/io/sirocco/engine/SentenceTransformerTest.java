package io.sirocco.engine;

import static io.sirocco.engine.EmbedModel.embedding;
import static io.sirocco.engine.EmbedModel.options;
import static io.sirocco.engine.EmbedModel.text;
import static io.sirocco.engine.EmbedModel.tokens;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model's folder says of embedding is heeded, unless the job says something else. */
class SentenceTransformerTest {
  private static final String TICKET = "Where is my parcel? It should be here since Monday.";

  /** The ending of the sample models' texts. */
  private static final int EOS = 2;

  @TempDir private Path folder;

  @BeforeEach
  void copyModel() {
    EmbedModel.copy(EmbedModel.WRITER, folder);
  }

  private void write(String file, String json) throws IOException {
    Files.createDirectories(folder.resolve(file).getParent());
    Files.writeString(folder.resolve(file), json);
  }

  /** By their names, with the types that most releases of the library write. */
  private void modules(String... names) throws IOException {
    typed(
        Arrays.stream(names)
            .map(name -> "sentence_transformers.models." + name)
            .toArray(String[]::new));
  }

  /** Each in the folder of its number and name. */
  private void typed(String... types) throws IOException {
    StringBuilder json = new StringBuilder("[");
    for (int i = 0; i < types.length; i++) {
      String path = i == 0 ? "" : i + "_" + types[i].replaceFirst(".*\\.", "");
      json.append(i == 0 ? "" : ",")
          .append(
              "{\"idx\": %d, \"name\": \"%d\", \"path\": \"%s\", \"type\": \"%s\"}"
                  .formatted(i, i, path, types[i]));
    }
    write("modules.json", json.append(']').toString());
  }

  private void pooling(String json) throws IOException {
    write("1_Pooling/config.json", json);
  }

  /** What sentence-transformers writes for e5-mistral and its like. */
  private void e5() throws IOException {
    modules("Transformer", "Pooling", "Normalize");
    pooling(
        "{\"word_embedding_dimension\": 192, \"pooling_mode_cls_token\": false,"
            + " \"pooling_mode_mean_tokens\": false, \"pooling_mode_lasttoken\": true,"
            + " \"include_prompt\": true}");
    write("sentence_bert_config.json", "{\"max_seq_length\": 512, \"do_lower_case\": false}");
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"query\": \"Instruct: find it\\nQuery: \", \"other\": \"o: \"},"
            + " \"default_prompt_name\": null}");
    tokenizerConfig("\"add_eos_token\": true, \"eos_token\": \"</s>\"");
  }

  private void tokenizerConfig(String fields) throws IOException {
    write("tokenizer_config.json", "{" + fields + "}");
  }

  private static Task.Embed prompted(EmbedPrompt prompt) {
    return new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, prompt, Toggle.AUTO);
  }

  private List<String> settings(Task.Embed task) {
    return Engine.plan(options(folder, task)).settings().stream().map(Object::toString).toList();
  }

  private float[] embedded(Task.Embed task, RowRequest row) throws Exception {
    return embedding(options(folder, task), row);
  }

  private int[] ids(String text) {
    try (Tokenizer tokenizer = Tokenizer.open(folder, SpecialTokenText.LITERAL)) {
      return tokenizer.encode(text).ids();
    }
  }

  private static int[] ended(int[] ids) {
    int[] ended = Arrays.copyOf(ids, ids.length + 1);
    ended[ids.length] = EOS;
    return ended;
  }

  @Test
  void aFolderThatSaysNothingIsPooledByItsLastToken() throws Exception {
    assertThat(settings(EmbedModel.task()))
        .containsExactly(
            "pooling: last (default)",
            "normalize: true (default)",
            "dimensions: 192 (default)",
            "prompt: '' (default)",
            "append-eos: false (default)");
    assertThat(Engine.plan(options(folder, EmbedModel.task())).notes())
        .anyMatch(note -> note.contains("embed.append-eos: true"));
    assertThat(embedded(EmbedModel.task(), text(TICKET)))
        .isEqualTo(embedded(EmbedModel.task(), tokens(ids(TICKET))));
  }

  @Test
  void e5IsEmbeddedAsItsCardSays() throws Exception {
    e5();
    assertThat(settings(prompted(EmbedPrompt.named("query"))))
        .containsExactly(
            "pooling: last (the model's folder)",
            "normalize: true (the model's folder)",
            "dimensions: 192 (default)",
            "prompt: 'Instruct: find it\\nQuery: ' (the job)",
            "append-eos: true (the model's folder)");
    assertThat(Engine.plan(options(folder, EmbedModel.task())).notes())
        .noneMatch(note -> note.contains("end-of-sequence"))
        .anyMatch(note -> note.contains("at 512 tokens, model.max-tokens is 4096"));
    float[] document = embedded(EmbedModel.task(), tokens(ended(ids(TICKET))));
    assertThat(embedded(EmbedModel.task(), text(TICKET))).isEqualTo(document);
    float[] query =
        embedded(EmbedModel.task(), tokens(ended(ids("Instruct: find it\nQuery: " + TICKET))));
    assertThat(embedded(prompted(EmbedPrompt.named("query")), text(TICKET))).isEqualTo(query);
    assertThat(embedded(prompted(EmbedPrompt.instruction("find it")), text(TICKET)))
        .isEqualTo(query)
        .isNotEqualTo(document);
  }

  /** As the model's card has it: cut to one less than the limit, then ended. */
  @Test
  void truncationLeavesTheEnding() throws Exception {
    e5();
    int[] all = ids(TICKET);
    EngineOptions right =
        options(folder, EmbedModel.task())
            .withMaxTokens(8)
            .withOverLength(OverLength.TRUNCATE_RIGHT);
    try (Engine engine = Engine.open(right)) {
      RowOutcome.Embedded cut = (RowOutcome.Embedded) engine.submit(text(TICKET)).get();
      assertThat(cut.truncated()).isTrue();
      assertThat(cut.tokenCount()).hasValue(all.length + 1);
      assertThat(cut.embedding())
          .isEqualTo(embedded(EmbedModel.task(), tokens(ended(Arrays.copyOf(all, 7)))));
    }
    EngineOptions fits = options(folder, EmbedModel.task()).withMaxTokens(all.length);
    try (Engine engine = Engine.open(fits)) {
      RowOutcome.Failed failed = (RowOutcome.Failed) engine.submit(text(TICKET)).get();
      assertThat(failed.code()).isEqualTo(RowErrorCode.TOO_LONG);
      assertThat(failed.tokenCount()).hasValue(all.length + 1);
    }
  }

  @Test
  void anEndingThatTheTokenizerAddsIsNotAddedTwice() throws Exception {
    float[] ended = embedded(EmbedModel.task(), tokens(ended(ids(TICKET))));
    String json = Files.readString(folder.resolve("tokenizer.json"));
    String single =
        "\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
            + "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}";
    String compact =
        json.replaceAll("(?s)\"single\"\\s*:\\s*\\[.*?\\{\\s*\"Sequence\".*?\\}\\s*\\}", single);
    String withEnd =
        compact
            .replace(single, single + ",{\"SpecialToken\":{\"id\":\"</s>\",\"type_id\":0}}")
            .replaceFirst(
                "\"special_tokens\"\\s*:\\s*\\{",
                "\"special_tokens\":{\"</s>\":{\"id\":\"</s>\",\"ids\":[2],\"tokens\":[\"</s>\"]},");
    Files.writeString(folder.resolve("tokenizer.json"), withEnd);
    assertThat(ids(TICKET)).endsWith(EOS);
    for (Toggle append : Toggle.values()) {
      Task.Embed task =
          new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.none(), append);
      assertThat(embedded(task, text(TICKET))).as(append.name()).isEqualTo(ended);
    }
    assertThat(settings(EmbedModel.task())).contains("append-eos: true (the model's folder)");
    Task.Embed never =
        new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.none(), Toggle.FALSE);
    assertThat(Engine.plan(options(folder, never)).notes())
        .contains("the tokenizer itself puts </s> behind each text");
  }

  @Test
  void theJobWins() throws Exception {
    modules("Transformer", "Pooling");
    pooling("{\"pooling_mode_mean_tokens\": true}");
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"passage\": \"passage: \"}, \"default_prompt_name\": \"passage\"}");
    tokenizerConfig("\"add_eos_token\": true, \"eos_token\": {\"content\": \"</s>\"}");
    assertThat(settings(EmbedModel.task()))
        .containsExactly(
            "pooling: mean (the model's folder)",
            "normalize: false (the model's folder)",
            "dimensions: 192 (default)",
            "prompt: 'passage: ' (the model's folder)",
            "append-eos: true (the model's folder)");
    Task.Embed own =
        new Task.Embed(PoolingChoice.LAST, Toggle.TRUE, 64, EmbedPrompt.none(), Toggle.FALSE);
    assertThat(settings(own))
        .containsExactly(
            "pooling: last (the job)",
            "normalize: true (the job)",
            "dimensions: 64 (the job)",
            "prompt: '' (the job)",
            "append-eos: false (the job)");
    Task.Embed mean =
        new Task.Embed(PoolingChoice.MEAN, Toggle.FALSE, 0, EmbedPrompt.none(), Toggle.FALSE);
    assertThat(embedded(EmbedModel.task(), text(TICKET)))
        .isEqualTo(embedded(mean, tokens(ended(ids("passage: " + TICKET)))));
  }

  @Test
  void theNewerFormOfPoolingIsReadToo() throws Exception {
    modules("Transformer", "Pooling");
    pooling("{\"embedding_dimension\": 192, \"pooling_mode\": \"lasttoken\"}");
    assertThat(settings(EmbedModel.task())).contains("pooling: last (the model's folder)");
  }

  @Test
  void modulesMayHaveTheirPlaceInAnyReleaseOfTheLibrary() throws Exception {
    pooling("{\"pooling_mode\": \"lasttoken\"}");
    for (String normalize : List.of("base", "sentence_transformer")) {
      typed(
          "sentence_transformers.base.modules.transformer.Transformer",
          "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
          "sentence_transformers.%s.modules.normalize.Normalize".formatted(normalize));
      assertThat(settings(EmbedModel.task()))
          .contains("pooling: last (the model's folder)", "normalize: true (the model's folder)");
    }
  }

  /** As the library has it: a flag that is not there, or false like all others, is the mean's. */
  @Test
  void withoutAnyFlagTheMeanIsTaken() throws Exception {
    modules("Transformer", "Pooling");
    for (String json :
        List.of("{}", "{\"pooling_mode_mean_tokens\": false}", "{\"include_prompt\": true}")) {
      pooling(json);
      assertThat(settings(EmbedModel.task())).contains("pooling: mean (the model's folder)");
    }
  }

  private static int[] joined(int[] ids, int[] more) {
    int[] joined = Arrays.copyOf(ids, ids.length + more.length);
    System.arraycopy(more, 0, joined, ids.length, more.length);
    return joined;
  }

  /** The tokenizer with which every control token's name counts is the oracle. */
  @Test
  void controlTokensOfAPromptAreTokensAndThoseOfARowAreText() throws Exception {
    e5();
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"query\": \"<s>find it</s>\"}, \"default_prompt_name\": \"query\"}");
    String row = "</s> is what I see<s>";
    int[] prompt;
    int[] instructed;
    try (Tokenizer parsing = Tokenizer.open(folder, SpecialTokenText.PARSE)) {
      prompt = parsing.encode("<s>find it</s>").ids();
      instructed = parsing.encode("Instruct: a</s>b\nQuery: " + TICKET).ids();
    }
    int[] literal = ids(row);
    int[] whole = joined(prompt, Arrays.copyOfRange(literal, 1, literal.length));
    assertThat(prompt).startsWith(1, 1).endsWith(EOS);
    EngineOptions shared =
        options(folder, EmbedModel.task()).withReuse(new Reuse(0, new Beginning.Text("")));
    for (EngineOptions options : List.of(options(folder, EmbedModel.task()), shared)) {
      assertThat(embedding(options, text(row)))
          .isEqualTo(embedded(EmbedModel.task(), tokens(ended(whole))));
    }
    assertThat(embedded(prompted(EmbedPrompt.instruction("a</s>b")), text(TICKET)))
        .isEqualTo(embedded(EmbedModel.task(), tokens(ended(instructed))));
  }

  @Test
  void aPromptIsNeverCutOff() throws Exception {
    e5();
    Task.Embed query = prompted(EmbedPrompt.named("query"));
    for (Task.Embed task : List.of(query, prompted(EmbedPrompt.instruction("find it")))) {
      assertThatThrownBy(
              () ->
                  Engine.plan(
                      options(folder, task)
                          .withMaxTokens(8)
                          .withOverLength(OverLength.TRUNCATE_LEFT)))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("model.over-length: is truncate-left");
    }
    EngineOptions left =
        options(folder, EmbedModel.task())
            .withMaxTokens(8)
            .withOverLength(OverLength.TRUNCATE_LEFT);
    int[] all = ids(TICKET);
    int[] last = Arrays.copyOfRange(all, all.length - 6, all.length);
    assertThat(embedding(left, text(TICKET)))
        .isEqualTo(embedded(EmbedModel.task(), tokens(ended(joined(new int[] {1}, last)))));
  }

  /** Not even what is wrong with the folder's settings of texts matters. */
  @Test
  void rowsOfTokensHaveNoSettingsOfTexts() throws Exception {
    e5();
    write("sentence_bert_config.json", "{\"max_seq_length\": [], \"do_lower_case\": true}");
    write("config_sentence_transformers.json", "{\"default_prompt_name\": \"nowhere\"}");
    tokenizerConfig("\"add_eos_token\": true, \"eos_token\": \"<nothing>\"");
    Task.Embed task =
        new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.ofTokens(), Toggle.FALSE);
    EnginePlan plan =
        Engine.plan(
            options(folder, task).withMaxTokens(8).withOverLength(OverLength.TRUNCATE_LEFT));
    assertThat(plan.settings().stream().map(Object::toString))
        .contains("prompt: '' (the job)", "append-eos: false (the job)")
        .contains("pooling: last (the model's folder)");
    assertThat(plan.notes()).noneMatch(note -> note.contains("texts"));
    assertThatThrownBy(
            () ->
                new Task.Embed(
                    PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.ofTokens(), Toggle.TRUE))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void notesSayWhatHasNoEffectAndNothingOfOtherPoolings() {
    Reuse number = new Reuse(0, new Beginning.Tokens(64));
    Task.Embed mean = EmbedModel.task(PoolingChoice.MEAN);
    assertThat(Engine.plan(options(folder, mean).withReuse(number)).notes())
        .anyMatch(note -> note.contains("batch.shared-prefix has no effect"))
        .noneMatch(note -> note.contains("append-eos"));
    Task.Embed last = EmbedModel.task(PoolingChoice.LAST);
    assertThat(Engine.plan(options(folder, last).withReuse(number)).notes())
        .noneMatch(note -> note.contains("no effect"));
  }

  @Test
  void codeOfTheFolderIsNotedAndNotExecuted() throws Exception {
    String config = Files.readString(folder.resolve("config.json"));
    write(
        "config.json",
        config.replaceFirst("\\{", "{\"auto_map\": {\"AutoModel\": \"modeling.Own\"},"));
    assertThat(Engine.plan(options(folder, EmbedModel.task())).notes())
        .anyMatch(note -> note.contains("auto_map"));
    assertThat(Inspection.of(folder).notes()).anyMatch(note -> note.contains("auto_map"));
  }

  @Test
  void inspectionTellsWhatAJobWouldBeRefusedFor() throws Exception {
    e5();
    assertThat(Inspection.of(folder).problems()).isEmpty();
    modules("Transformer", "Pooling", "Dense");
    assertThat(Inspection.of(folder).problems()).anyMatch(problem -> problem.contains("Dense"));
    e5();
    write("sentence_bert_config.json", "{\"do_lower_case\": true}");
    assertThat(Inspection.of(folder).problems())
        .anyMatch(problem -> problem.contains("do_lower_case"));
  }

  @Test
  void whatIsNotSupportedIsRefusedByName() throws Exception {
    modules("Transformer", "Pooling", "Dense");
    refused(EmbedModel.task(), "modules.json", "sentence_transformers.models.Dense");
    modules("Pooling", "Transformer");
    refused(EmbedModel.task(), "has the module Pooling in ''");
    for (String list : List.of("Transformer", "Transformer, Pooling, Normalize, Normalize")) {
      modules(list.split(", "));
      refused(EmbedModel.task(), "has the modules " + list + ", expected Transformer, Pooling");
    }
    typed("sentence_transformers.models.Transformer", "somebodys_own.Pooling");
    refused(EmbedModel.task(), "has the module somebodys_own.Pooling, which is not supported");
    modules("Transformer", "Pooling");
    for (String mode : List.of("cls_token", "max_tokens", "weightedmean_tokens")) {
      pooling("{\"pooling_mode_%s\": true}".formatted(mode));
      refused(
          EmbedModel.task(),
          "1_Pooling/config.json",
          "pools by " + mode.replace("_tokens", ""),
          "embed.pooling");
      assertThat(settings(EmbedModel.task(PoolingChoice.MEAN))).contains("pooling: mean (the job)");
    }
    pooling("{\"pooling_mode_mean_tokens\": true, \"pooling_mode_lasttoken\": true}");
    refused(EmbedModel.task(), "pools by mean and lasttoken");
    pooling("{\"pooling_mode_mean_tokens\": true, \"include_prompt\": false}");
    refused(prompted(EmbedPrompt.instruction("find")), "include_prompt is false");
    assertThat(settings(EmbedModel.task())).contains("pooling: mean (the model's folder)");
    write("sentence_bert_config.json", "{\"do_lower_case\": true}");
    refused(EmbedModel.task(), "do_lower_case is true");
  }

  @Test
  void damagedFilesAreRefused() throws Exception {
    write("modules.json", "{}");
    refused(EmbedModel.task(), "modules.json", "is not a JSON array");
    write("modules.json", "[7, null, {\"type\": [], \"path\": {}}]");
    refused(EmbedModel.task(), "has the module");
    write(
        "modules.json",
        "[{\"type\": \"sentence_transformers.models.Pooling\", \"path\": \"../elsewhere\"}]");
    refused(EmbedModel.task(), "'../elsewhere', expected '1_Pooling'");
    modules("Transformer", "Pooling");
    refused(EmbedModel.task(), "1_Pooling/config.json: is missing, but modules.json has");
    assertThat(settings(EmbedModel.task(PoolingChoice.MEAN))).contains("pooling: mean (the job)");
    e5();
    refused(prompted(EmbedPrompt.named("nowhere")), "no prompt nowhere; it has other, query");
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"a\": 7}, \"default_prompt_name\": \"a\"}");
    refused(EmbedModel.task(), "a is 7, expected a string");
    write("config_sentence_transformers.json", "{\"default_prompt_name\": \"b\"}");
    refused(EmbedModel.task(), "no prompt b; it has none");
  }

  @Test
  void anEndingThatNobodyNamesIsRefused() throws Exception {
    tokenizerConfig("\"add_eos_token\": true");
    assertThat(settings(EmbedModel.task())).contains("append-eos: true (the model's folder)");
    String config = Files.readString(folder.resolve("config.json"));
    Files.writeString(
        folder.resolve("config.json"),
        config.replace("\"eos_token_id\": 2", "\"eos_token_id\": null"));
    refused(EmbedModel.task(), "embed.append-eos", "names no end-of-sequence token");
  }

  @Test
  void anEndingThatTokenizerOrModelDoNotHaveIsRefused() throws Exception {
    String config = Files.readString(folder.resolve("config.json"));
    // config.json has another one, which is not meant.
    for (String named : List.of("\"<end>\"", "{\"content\": \"<end>\"}", "7777777")) {
      tokenizerConfig("\"add_eos_token\": true, \"eos_token\": " + named);
      refused(EmbedModel.task(), "embed.append-eos", "which is no token of the tokenizer");
    }
    for (String none : List.of("null", "{\"content\": null}", "\"\"")) {
      tokenizerConfig("\"add_eos_token\": true, \"eos_token\": " + none);
      assertThat(settings(EmbedModel.task())).contains("append-eos: true (the model's folder)");
    }
    for (int id : List.of(2048, -1)) {
      write("config.json", config.replace("\"eos_token_id\": 2", "\"eos_token_id\": " + id));
      refused(EmbedModel.task(), "token of the model's folder is " + id, "knows 0 to 2047");
    }
    Task.Embed never =
        new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.none(), Toggle.FALSE);
    assertThat(settings(never)).contains("append-eos: false (the job)");
  }

  @Test
  void theFilesArePartOfTheFingerprint() throws Exception {
    String before = Engine.plan(options(folder, EmbedModel.task())).fingerprint();
    // Without modules.json nobody reads it, and a job far from the folder does not fetch it.
    pooling("{}");
    assertThat(Engine.plan(options(folder, EmbedModel.task())).fingerprint()).isEqualTo(before);
    e5();
    String e5 = Engine.plan(options(folder, EmbedModel.task())).fingerprint();
    pooling("{\"pooling_mode_mean_tokens\": true}");
    String mean = Engine.plan(options(folder, EmbedModel.task())).fingerprint();
    assertThat(List.of(before, e5, mean)).doesNotHaveDuplicates();
  }

  private void refused(Task.Embed task, String... message) {
    assertThatThrownBy(() -> Engine.plan(options(folder, task)))
        .isInstanceOf(ModelException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(message));
  }
}
