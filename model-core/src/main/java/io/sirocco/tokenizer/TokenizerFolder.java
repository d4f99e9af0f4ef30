package io.sirocco.tokenizer;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads the tokenizer.json of a model folder. */
final class TokenizerFolder {
  private static final long MAX_FILE_BYTES = 256L << 20;
  private static final String FILE = "tokenizer.json";

  private TokenizerFolder() {}

  /** The file in {@code modelFolder}, which exists. */
  static Path file(Path modelFolder) {
    Path path = modelFolder.resolve(FILE);
    if (!Files.isRegularFile(path)) {
      throw missing(modelFolder);
    }
    return path;
  }

  static String read(Path path) {
    byte[] bytes;
    long size;
    try (InputStream in = Files.newInputStream(path)) {
      size = Files.size(path);
      bytes = size > MAX_FILE_BYTES ? new byte[0] : in.readNBytes((int) MAX_FILE_BYTES);
    } catch (IOException e) {
      throw new ModelException(path.toString(), "cannot be read: " + e.getMessage(), e);
    }
    if (size > MAX_FILE_BYTES) {
      throw new ModelException(
          path.toString(), "has " + size + " bytes, at most " + MAX_FILE_BYTES + " are read");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new ModelException(path.toString(), "not UTF-8", e);
    }
  }

  private static ModelException missing(Path modelFolder) {
    for (String other : new String[] {"tekken.json", "tokenizer.model", "tokenizer.model.v3"}) {
      if (Files.exists(modelFolder.resolve(other))) {
        return new ModelException(
            modelFolder.resolve(other).toString(),
            "only "
                + FILE
                + " is read so far; convert it with transformers:"
                + " AutoTokenizer.from_pretrained(folder).save_pretrained(folder)");
      }
    }
    return new ModelException(
        modelFolder.resolve(FILE).toString(), "not found; the model folder needs this file");
  }
}
