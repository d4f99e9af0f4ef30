package io.sirocco.template;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.tokenizer.convert.Generation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** The templates that raw releases get, against those that Mistral has published. */
class GenerationTemplatesTest extends PublishedTemplatesTest {
  private static final Path TOKENIZERS = Path.of("..", "..", "shared", "tokenizers");

  /** Of what is published only, not what is taken from v0.1 and v0.2 before the end of 2024. */
  private static final Map<String, Generation> GENERATIONS =
      Map.of("v01-2024", Generation.V1, "v03-tools", Generation.V3, "nemo", Generation.TEKKEN_V3);

  @Override
  ChatTemplate template(String name) throws IOException {
    if (!GENERATIONS.containsKey(name)) {
      return super.template(name);
    }
    Generation generation = GENERATIONS.get(name);
    return ChatTemplate.parse(generation.chatTemplate().orElseThrow(), Chats.TOKENS, name);
  }

  @Override
  void fill(Path folder, String name) throws IOException {
    if (name.equals("tekken")) {
      Path packed = TOKENIZERS.resolve("tekken").resolve("tekken.json.gz");
      try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
        Files.copy(in, folder.resolve("tekken.json"));
      }
    } else {
      Path model = TOKENIZERS.resolve(name).resolve("tokenizer.model");
      Files.copy(model, folder.resolve("tokenizer.model"));
    }
    assertThat(folder.resolve("tokenizer_config.json")).doesNotExist();
  }
}
