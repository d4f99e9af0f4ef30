package io.sirocco.engine;

import static io.sirocco.engine.EmbedModel.embedding;
import static io.sirocco.engine.EmbedModel.options;
import static io.sirocco.engine.EmbedModel.text;
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
import org.junit.jupiter.api.io.TempDir;

/** A writer that becomes an embedder by the files of sentence-transformers beside it. */
abstract class SentenceTransformerFolder {
  static final String TICKET = "Where is my parcel? It should be here since Monday.";

  /** The ending of the sample models' texts. */
  static final int EOS = 2;

  @TempDir Path folder;

  @BeforeEach
  void copyModel() {
    EmbedModel.copy(EmbedModel.WRITER, folder);
  }

  void write(String file, String json) throws IOException {
    Files.createDirectories(folder.resolve(file).getParent());
    Files.writeString(folder.resolve(file), json);
  }

  /** By their names, with the types that most releases of the library write. */
  void modules(String... names) throws IOException {
    typed(
        Arrays.stream(names)
            .map(name -> "sentence_transformers.models." + name)
            .toArray(String[]::new));
  }

  /** Each in the folder of its number and name. */
  void typed(String... types) throws IOException {
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

  void pooling(String json) throws IOException {
    write("1_Pooling/config.json", json);
  }

  /** What sentence-transformers writes for e5-mistral and its like. */
  void e5() throws IOException {
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

  void tokenizerConfig(String fields) throws IOException {
    write("tokenizer_config.json", "{" + fields + "}");
  }

  static Task.Embed prompted(EmbedPrompt prompt) {
    return new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, prompt, Toggle.AUTO);
  }

  List<String> settings(Task.Embed task) {
    return Engine.plan(options(folder, task)).settings().stream().map(Object::toString).toList();
  }

  float[] embedded(Task.Embed task, RowRequest row) throws Exception {
    return embedding(options(folder, task), row);
  }

  int[] ids(String text) {
    try (Tokenizer tokenizer = Tokenizer.open(folder, SpecialTokenText.LITERAL)) {
      return tokenizer.encode(text).ids();
    }
  }

  static int[] ended(int[] ids) {
    int[] ended = Arrays.copyOf(ids, ids.length + 1);
    ended[ids.length] = EOS;
    return ended;
  }

  static int[] joined(int[] ids, int[] more) {
    int[] joined = Arrays.copyOf(ids, ids.length + more.length);
    System.arraycopy(more, 0, joined, ids.length, more.length);
    return joined;
  }

  void refused(Task.Embed task, String... message) {
    assertThatThrownBy(() -> Engine.plan(options(folder, task)))
        .isInstanceOf(ModelException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(message));
  }
}
