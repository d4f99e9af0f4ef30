package io.sirocco.tokenizer;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.RawTokenizers;
import io.sirocco.tokenizer.convert.TokenizerFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads the tokenizer.json of a model folder, or makes it of what a raw release has instead. */
final class TokenizerFolder {
  private static final long MAX_FILE_BYTES = 256L << 20;

  private TokenizerFolder() {}

  /**
   * A tokenizer.json.
   *
   * @param where the file that it comes from, for errors
   * @param json its text
   */
  record Source(String where, String json) {}

  static Source read(Path modelFolder) {
    Path path = modelFolder.resolve(RawTokenizers.CONVERTED);
    if (Files.isRegularFile(path)) {
      return new Source(path.toString(), text(path));
    }
    return TokenizerFiles.open(modelFolder)
        .map(raw -> new Source(raw.where(), raw.json()))
        .orElseThrow(
            () ->
                new ModelException(
                    path.toString(),
                    "not found; the model folder needs this file, or "
                        + RawTokenizers.TEKKEN
                        + " or "
                        + RawTokenizers.SENTENCE_PIECE));
  }

  private static String text(Path path) {
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
}
