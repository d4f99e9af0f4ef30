package io.sirocco.engine;

import static io.sirocco.engine.EmbedModel.embedding;
import static io.sirocco.engine.EmbedModel.limitedTo;
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

  private void modules(String... types) throws IOException {
    StringBuilder json = new StringBuilder("[");
    for (int i = 0; i < types.length; i++) {
      String path = i == 0 ? "" : i + "_" + types[i];
      json.append(i == 0 ? "" : ",")
          .append(
              "{\"idx\": %d, \"name\": \"%d\", \"path\": \"%s\",".formatted(i, i, path)
                  + " \"type\": \"sentence_transformers.models.%s\"}".formatted(types[i]));
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
        limitedTo(8, OverLength.TRUNCATE_RIGHT, options(folder, EmbedModel.task()));
    try (Engine engine = Engine.open(right)) {
      RowOutcome.Embedded cut = (RowOutcome.Embedded) engine.submit(text(TICKET)).get();
      assertThat(cut.truncated()).isTrue();
      assertThat(cut.tokenCount()).hasValue(all.length + 1);
      assertThat(cut.embedding())
          .isEqualTo(embedded(EmbedModel.task(), tokens(ended(Arrays.copyOf(all, 7)))));
    }
    EngineOptions fits =
        limitedTo(all.length, OverLength.ERROR, options(folder, EmbedModel.task()));
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
  void whatIsNotSupportedIsRefusedByName() throws Exception {
    modules("Transformer", "Pooling", "Dense");
    refused(EmbedModel.task(), "modules.json", "sentence_transformers.models.Dense");
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
    pooling("{}");
    refused(EmbedModel.task(), "pools by nothing");
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
  void theFilesArePartOfTheFingerprint() throws Exception {
    String before = Engine.plan(options(folder, EmbedModel.task())).fingerprint();
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
