package io.sirocco.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipException;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * What {@code torch.save} writes: a zip archive, nothing in it compressed, of a pickle that says
 * which tensors there are, and the numbers of each storage as they are in memory.
 */
final class TorchFile {
  /** A hundred times what the largest published Mistral needs. */
  private static final long MAX_PICKLE = 4L << 20;

  private static final String PICKLE = "/data.pkl";
  private static final String STORAGES = "/data/";
  private static final String BYTE_ORDER = "/byteorder";
  private static final String LITTLE = "little";

  /** The dtypes by the storages that hold them. */
  private static final Map<String, String> TYPES =
      Map.of(
          "torch.FloatStorage", "F32",
          "torch.HalfStorage", "F16",
          "torch.BFloat16Storage", "BF16",
          "torch.DoubleStorage", "F64",
          "torch.LongStorage", "I64",
          "torch.IntStorage", "I32",
          "torch.ShortStorage", "I16",
          "torch.CharStorage", "I8",
          "torch.ByteStorage", "U8",
          "torch.BoolStorage", "BOOL");

  private final Path file;
  private final ZipFile zip;
  private final String root;
  private final long fileSize;
  private final Map<String, ZipArchiveEntry> storages = new HashMap<>();

  private TorchFile(Path file, ZipFile zip, String root, long fileSize) {
    this.file = file;
    this.zip = zip;
    this.root = root;
    this.fileSize = fileSize;
  }

  /**
   * {@code channel} is read at the end, where the archive's directory is, and at the pickle.
   *
   * @throws ModelException if it is no such archive, is damaged, or holds something other than
   *     tensors
   */
  static WeightFile read(Path file, SeekableByteChannel channel) throws IOException {
    long size = channel.size();
    // Closing the archive would close the channel, which is the caller's.
    ZipFile zip = archive(file, channel);
    try {
      TorchFile torch = new TorchFile(file, zip, root(file, zip), size);
      byte[] pickle = torch.pickle();
      return new WeightFile(file, pickle, size, torch.entries(pickle));
    } catch (IllegalArgumentException | IllegalStateException | ZipException e) {
      throw damaged(file, e);
    }
  }

  private static ZipFile archive(Path file, SeekableByteChannel channel) throws IOException {
    try {
      return ZipFile.builder().setSeekableByteChannel(channel).setIgnoreLocalFileHeader(true).get();
    } catch (IOException | RuntimeException e) {
      throw damaged(file, e);
    }
  }

  private static ModelException damaged(Path file, Exception e) {
    return new ModelException(
        file.toString(),
        "is not a zip archive as torch.save writes it ("
            + e.getMessage()
            + "); it is damaged, or from before PyTorch 1.6; nothing in it was executed",
        e);
  }

  /** The folder that all of the archive is in: its name is the file's, when it was saved. */
  private static String root(Path file, ZipFile zip) {
    List<String> pickles =
        Collections.list(zip.getEntries()).stream()
            .map(ZipArchiveEntry::getName)
            .filter(name -> name.endsWith(PICKLE))
            .toList();
    if (pickles.size() != 1) {
      throw new ModelException(
          file.toString(),
          "holds " + pickles.size() + " pickles called data.pkl, expected one, of tensors");
    }
    return pickles.get(0).substring(0, pickles.get(0).length() - PICKLE.length());
  }

  private byte[] pickle() throws IOException {
    if (zip.getEntry(root + BYTE_ORDER) != null) {
      String order = new String(bytes(root + BYTE_ORDER), StandardCharsets.US_ASCII);
      if (!order.equals(LITTLE)) {
        throw new ModelException(
            where(root + BYTE_ORDER), "is '" + order + "', expected '" + LITTLE + "'");
      }
    }
    return bytes(root + PICKLE);
  }

  private byte[] bytes(String name) throws IOException {
    ZipArchiveEntry entry = zip.getEntry(name);
    requirePlain(entry);
    if (entry.getSize() > MAX_PICKLE) {
      throw new ModelException(
          where(name), "holds " + entry.getSize() + " bytes, expected at most " + MAX_PICKLE);
    }
    try (InputStream in = zip.getRawInputStream(entry)) {
      byte[] bytes = in.readNBytes((int) entry.getSize());
      if (bytes.length < entry.getSize()) {
        throw new ModelException(where(name), "is cut off");
      }
      return bytes;
    }
  }

  /** One whose bytes are in the file as they are. */
  private void requirePlain(ZipArchiveEntry entry) {
    boolean stored =
        entry.getMethod() == ZipArchiveEntry.STORED
            && entry.getSize() == entry.getCompressedSize()
            && !entry.getGeneralPurposeBit().usesEncryption();
    if (!stored) {
      throw new ModelException(
          where(entry.getName()), "is compressed or encrypted, expected plain, as torch.save does");
    }
    if (entry.getSize() < 0 || entry.getSize() > fileSize) {
      throw new ModelException(
          where(entry.getName()),
          "holds " + entry.getSize() + " bytes by the directory, more than the file");
    }
  }

  private List<WeightFile.Entry> entries(byte[] pickle) throws IOException {
    List<WeightFile.Entry> entries = new ArrayList<>();
    for (Map.Entry<String, PickleValues.View> tensor :
        Unpickler.tensors(where(root + PICKLE), pickle).entrySet()) {
      entries.add(entry(tensor.getKey(), tensor.getValue()));
    }
    entries.sort(Comparator.comparingLong(WeightFile.Entry::offset));
    return List.copyOf(entries);
  }

  private WeightFile.Entry entry(String name, PickleValues.View view) throws IOException {
    String where = file + ": tensor " + name;
    String type = TYPES.get(view.storage().type());
    if (type == null) {
      throw new ModelException(
          where,
          "is of "
              + view.storage().type()
              + ", expected a storage of numbers of one of "
              + TYPES.keySet().stream().sorted().toList()
              + "; nothing in the file was executed");
    }
    long elementBytes = SafetensorsHeader.elementBytes(where, type);
    ZipArchiveEntry storage = storage(where, view.storage(), elementBytes);
    long span = span(where, view);
    return new WeightFile.Entry(
        name,
        type,
        view.shape(),
        view.strides(),
        storage.getDataOffset() + view.offset() * elementBytes,
        span * elementBytes);
  }

  private ZipArchiveEntry storage(String where, PickleValues.Storage storage, long elementBytes)
      throws IOException {
    ZipArchiveEntry known = storages.get(storage.key());
    ZipArchiveEntry found = known == null ? zip.getEntry(root + STORAGES + storage.key()) : known;
    if (found == null) {
      throw new ModelException(
          where, "is in the storage '" + storage.key() + "', which the archive lacks");
    }
    if (known == null) {
      requirePlain(found);
      // Finds out where the bytes begin: the directory does not tell.
      zip.getRawInputStream(found).close();
      if (found.getDataOffset() < 0 || found.getDataOffset() > fileSize - found.getSize()) {
        throw new ModelException(
            where(found.getName()), "is not within the file, which is damaged or cut off");
      }
      storages.put(storage.key(), found);
    }
    if (storage.elements() < 0 || storage.elements() != found.getSize() / elementBytes) {
      throw new ModelException(
          where,
          "is in a storage of "
              + storage.elements()
              + " elements by the pickle, and of "
              + found.getSize()
              + " bytes by the archive");
    }
    return found;
  }

  /** Elements of the storage from the tensor's first to its last. */
  private static long span(String where, PickleValues.View view) {
    long elements = 1;
    long last = 0;
    try {
      if (view.shape().size() != view.strides().size() || view.offset() < 0) {
        throw new ArithmeticException("an offset below 0, or strides of other dimensions");
      }
      for (int i = 0; i < view.shape().size(); i++) {
        if (view.shape().get(i) < 0 || view.strides().get(i) < 0) {
          throw new ArithmeticException("a size or stride below 0");
        }
        elements = Math.multiplyExact(elements, view.shape().get(i));
        last =
            Math.addExact(
                last,
                Math.multiplyExact(Math.max(0, view.shape().get(i) - 1), view.strides().get(i)));
      }
      long stored = view.storage().elements();
      if (elements == 0 && view.offset() <= stored) {
        return 0;
      }
      // More elements than there are numbers would be a copy larger than the file.
      if (elements > stored || Math.addExact(view.offset(), last) >= stored) {
        throw new ArithmeticException("more elements than the storage has");
      }
      return last + 1;
    } catch (ArithmeticException e) {
      throw new ModelException(
          where,
          "has shape "
              + view.shape()
              + ", strides "
              + view.strides()
              + " and offset "
              + view.offset()
              + " in a storage of "
              + view.storage().elements()
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private String where(String entry) {
    return file + ": " + entry;
  }
}
