"""Small models that make music, with random weights: a chorale transformer, and MusicGen of every kind."""

import json

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    EncodecConfig,
    EncodecFeatureExtractor,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForConditionalGeneration,
    MusicgenMelodyConfig,
    MusicgenMelodyDecoderConfig,
    MusicgenMelodyFeatureExtractor,
    MusicgenMelodyForConditionalGeneration,
    PreTrainedTokenizerFast,
    T5Config,
)

from audiocli.music.tokens import N_TOKENS
from audiocli.nets.music_transformer import MusicTransformer

RATE = 3_200  # Hz
FRAME_RATE = 50  # a second
WINDOW = 40  # steps of the decoder at once
BOOK = 16  # codes
WORDS = ("<pad>", "</s>", "<unk>", "slow", "waltz", "piano", "drums", "happy")


def chorale(folder):
    """A transformer that has learned nothing, as `audiocli train` would write it."""
    torch.manual_seed(0)
    shape = {"width": 16, "heads": 2, "layers": 1, "reach": 16, "dropout": 0.0}
    folder.mkdir(parents=True)
    save_file(MusicTransformer(N_TOKENS, **shape).half().state_dict(), folder / "model.safetensors")
    config = {"model_type": "audiocli-music", "net": "transformer", "n_tokens": N_TOKENS, "shape": shape}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def tokenizer():
    words = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )  # fmt: skip


def musicgen(folder, *, melody=False, stereo=False):
    """A MusicGen whose window is WINDOW steps long."""
    torch.manual_seed(0)
    text = T5Config(vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    codec = EncodecConfig(
        target_bandwidths=[1.0], sampling_rate=RATE, audio_channels=1, num_filters=4, num_residual_layers=1,
        upsampling_ratios=[8, 4, 2], hidden_size=16, codebook_size=BOOK, codebook_dim=16, num_lstm_layers=1,
        normalize=False, overlap=None, chunk_length_s=None,
    )  # fmt: skip
    decoder = (MusicgenMelodyDecoderConfig if melody else MusicgenDecoderConfig)(
        vocab_size=BOOK, max_position_embeddings=64, num_hidden_layers=1, ffn_dim=32, num_attention_heads=2, hidden_size=16,
        num_codebooks=codec.num_quantizers * (2 if stereo else 1), audio_channels=2 if stereo else 1, pad_token_id=BOOK,
        bos_token_id=BOOK, eos_token_id=None, initializer_factor=0.5,
    )  # fmt: skip
    parts = {"text_encoder": text, "audio_encoder": codec, "decoder": decoder}
    if melody:
        model = MusicgenMelodyForConditionalGeneration(
            MusicgenMelodyConfig(**parts, num_chroma=12, chroma_length=20, initializer_factor=0.5)
        )
        extractor = MusicgenMelodyFeatureExtractor(sampling_rate=RATE, hop_length=512, n_fft=2_048)
    else:
        model = MusicgenForConditionalGeneration(MusicgenConfig(**parts))
        extractor = EncodecFeatureExtractor(sampling_rate=RATE)
    for layer in model.audio_encoder.quantizer.layers:
        layer.codebook.embed.normal_()  # they start as zeros, and every code would sound the same
    own = model.generation_config
    own.max_length, own.pad_token_id, own.bos_token_id, own.decoder_start_token_id = WINDOW, BOOK, BOOK, BOOK
    for part in (model, tokenizer(), extractor):
        part.save_pretrained(folder)
    return folder
