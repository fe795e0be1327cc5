//! The vector instructions that bodies are made of, by family: one for all widths and both encodings.
//!
//! The assembler names the forms of an instruction one after the other: 128, 256 and (EVEX) 512 bits. A row here
//! names the first of either encoding; a test holds that the others follow.

use iced_x86::Code;

use super::program::{Isa, Width};

/// How wide an operand is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Size {
    /// As wide as the instruction.
    Full,
    /// Half of it.
    Half,
    /// A quarter of it.
    Quarter,
    /// A mask register.
    Mask,
}

/// The forms of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Forms {
    /// For AVX2, 128 bits.
    pub(super) vex: Option<Code>,
    /// For AVX-512, 128 bits.
    pub(super) evex: Option<Code>,
    /// The result.
    pub(super) dst: Size,
    /// The first operand.
    pub(super) a: Size,
    /// The last operand.
    pub(super) last: Size,
    /// Bytes of an element that all lanes may share in memory, with AVX-512; 0 if they may not.
    pub(super) broadcast: u8,
    /// Whether the last operand may be in memory.
    pub(super) folds: bool,
    /// Whether the narrowest form has another number: 256 bits are the first.
    pub(super) first: Width,
}

macro_rules! families {
    ($($name:ident: $vex:tt $evex:tt, $dst:ident $a:ident $last:ident, $broadcast:literal, $folds:literal, $first:ident;)*) => {
        /// A vector instruction.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Family {
            $($name,)*
        }

        impl Family {
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its forms.
            pub(super) fn forms(self) -> Forms {
                match self {
                    $(Self::$name => Forms {
                        vex: families!(@code $vex),
                        evex: families!(@code $evex),
                        dst: Size::$dst,
                        a: Size::$a,
                        last: Size::$last,
                        broadcast: $broadcast,
                        folds: $folds,
                        first: Width::$first,
                    },)*
                }
            }
        }
    };
    (@code _) => { None };
    (@code $code:ident) => { Some(Code::$code) };
}

families! {
    AddF32: VEX_Vaddps_xmm_xmm_xmmm128 EVEX_Vaddps_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    AddF64: VEX_Vaddpd_xmm_xmm_xmmm128 EVEX_Vaddpd_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    SubF32: VEX_Vsubps_xmm_xmm_xmmm128 EVEX_Vsubps_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    SubF64: VEX_Vsubpd_xmm_xmm_xmmm128 EVEX_Vsubpd_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    MulF32: VEX_Vmulps_xmm_xmm_xmmm128 EVEX_Vmulps_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    MulF64: VEX_Vmulpd_xmm_xmm_xmmm128 EVEX_Vmulpd_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    DivF32: VEX_Vdivps_xmm_xmm_xmmm128 EVEX_Vdivps_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    DivF64: VEX_Vdivpd_xmm_xmm_xmmm128 EVEX_Vdivpd_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    MinF32: VEX_Vminps_xmm_xmm_xmmm128 EVEX_Vminps_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    MinF64: VEX_Vminpd_xmm_xmm_xmmm128 EVEX_Vminpd_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    MaxF32: VEX_Vmaxps_xmm_xmm_xmmm128 EVEX_Vmaxps_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    MaxF64: VEX_Vmaxpd_xmm_xmm_xmmm128 EVEX_Vmaxpd_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    ScaleF32: _ EVEX_Vscalefps_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    ScaleF64: _ EVEX_Vscalefpd_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    SqrtF32: VEX_Vsqrtps_xmm_xmmm128 EVEX_Vsqrtps_xmm_k1z_xmmm128b32, Full Full Full, 4, true, X;
    SqrtF64: VEX_Vsqrtpd_xmm_xmmm128 EVEX_Vsqrtpd_xmm_k1z_xmmm128b64, Full Full Full, 8, true, X;
    RoundF32: VEX_Vroundps_xmm_xmmm128_imm8 EVEX_Vrndscaleps_xmm_k1z_xmmm128b32_imm8, Full Full Full, 4, true, X;
    RoundF64: VEX_Vroundpd_xmm_xmmm128_imm8 EVEX_Vrndscalepd_xmm_k1z_xmmm128b64_imm8, Full Full Full, 8, true, X;
    CompareF32: VEX_Vcmpps_xmm_xmm_xmmm128_imm8 _, Full Full Full, 4, true, X;
    CompareF64: VEX_Vcmppd_xmm_xmm_xmmm128_imm8 _, Full Full Full, 8, true, X;
    MaskF32: _ EVEX_Vcmpps_kr_k1_xmm_xmmm128b32_imm8, Mask Full Full, 4, true, X;
    MaskF64: _ EVEX_Vcmppd_kr_k1_xmm_xmmm128b64_imm8, Mask Full Full, 8, true, X;
    MaskI32: _ EVEX_Vpcmpd_kr_k1_xmm_xmmm128b32_imm8, Mask Full Full, 4, true, X;
    MaskI64: _ EVEX_Vpcmpq_kr_k1_xmm_xmmm128b64_imm8, Mask Full Full, 8, true, X;
    MaskBytes: _ EVEX_Vptestmb_kr_k1_xmm_xmmm128, Mask Full Full, 0, false, X;
    EqualI8: VEX_Vpcmpeqb_xmm_xmm_xmmm128 _, Full Full Full, 0, true, X;
    EqualI32: VEX_Vpcmpeqd_xmm_xmm_xmmm128 _, Full Full Full, 0, true, X;
    EqualI64: VEX_Vpcmpeqq_xmm_xmm_xmmm128 _, Full Full Full, 0, true, X;
    GreaterI32: VEX_Vpcmpgtd_xmm_xmm_xmmm128 _, Full Full Full, 0, true, X;
    GreaterI64: VEX_Vpcmpgtq_xmm_xmm_xmmm128 _, Full Full Full, 0, true, X;
    AddI32: VEX_Vpaddd_xmm_xmm_xmmm128 EVEX_Vpaddd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    AddI64: VEX_Vpaddq_xmm_xmm_xmmm128 EVEX_Vpaddq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    SubI32: VEX_Vpsubd_xmm_xmm_xmmm128 EVEX_Vpsubd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    SubI64: VEX_Vpsubq_xmm_xmm_xmmm128 EVEX_Vpsubq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    MulI32: VEX_Vpmulld_xmm_xmm_xmmm128 EVEX_Vpmulld_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    MulI64: _ EVEX_Vpmullq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    MulU32: VEX_Vpmuludq_xmm_xmm_xmmm128 EVEX_Vpmuludq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    MinI32: VEX_Vpminsd_xmm_xmm_xmmm128 EVEX_Vpminsd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    MaxI32: VEX_Vpmaxsd_xmm_xmm_xmmm128 EVEX_Vpmaxsd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    MinI64: _ EVEX_Vpminsq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    MaxI64: _ EVEX_Vpmaxsq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    MinU32: VEX_Vpminud_xmm_xmm_xmmm128 EVEX_Vpminud_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    AbsI32: VEX_Vpabsd_xmm_xmmm128 EVEX_Vpabsd_xmm_k1z_xmmm128b32, Full Full Full, 4, true, X;
    AbsI64: _ EVEX_Vpabsq_xmm_k1z_xmmm128b64, Full Full Full, 8, true, X;
    And32: VEX_Vpand_xmm_xmm_xmmm128 EVEX_Vpandd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    And64: VEX_Vpand_xmm_xmm_xmmm128 EVEX_Vpandq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    AndNot32: VEX_Vpandn_xmm_xmm_xmmm128 EVEX_Vpandnd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    Or32: VEX_Vpor_xmm_xmm_xmmm128 EVEX_Vpord_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    Or64: VEX_Vpor_xmm_xmm_xmmm128 EVEX_Vporq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    Xor32: VEX_Vpxor_xmm_xmm_xmmm128 EVEX_Vpxord_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    Xor64: VEX_Vpxor_xmm_xmm_xmmm128 EVEX_Vpxorq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    ShlI32: VEX_Vpsllvd_xmm_xmm_xmmm128 EVEX_Vpsllvd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    ShlI64: VEX_Vpsllvq_xmm_xmm_xmmm128 EVEX_Vpsllvq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    ShrI32: VEX_Vpsrlvd_xmm_xmm_xmmm128 EVEX_Vpsrlvd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    ShrI64: VEX_Vpsrlvq_xmm_xmm_xmmm128 EVEX_Vpsrlvq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    SarI32: VEX_Vpsravd_xmm_xmm_xmmm128 EVEX_Vpsravd_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    SarI64: _ EVEX_Vpsravq_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    ShlI32By: VEX_Vpslld_xmm_xmm_imm8 EVEX_Vpslld_xmm_k1z_xmmm128b32_imm8, Full Full Full, 0, false, X;
    ShlI64By: VEX_Vpsllq_xmm_xmm_imm8 EVEX_Vpsllq_xmm_k1z_xmmm128b64_imm8, Full Full Full, 0, false, X;
    ShrI32By: VEX_Vpsrld_xmm_xmm_imm8 EVEX_Vpsrld_xmm_k1z_xmmm128b32_imm8, Full Full Full, 0, false, X;
    ShrI64By: VEX_Vpsrlq_xmm_xmm_imm8 EVEX_Vpsrlq_xmm_k1z_xmmm128b64_imm8, Full Full Full, 0, false, X;
    SarI32By: VEX_Vpsrad_xmm_xmm_imm8 EVEX_Vpsrad_xmm_k1z_xmmm128b32_imm8, Full Full Full, 0, false, X;
    SarI64By: _ EVEX_Vpsraq_xmm_k1z_xmmm128b64_imm8, Full Full Full, 0, false, X;
    Blend32: VEX_Vblendvps_xmm_xmm_xmmm128_xmm EVEX_Vblendmps_xmm_k1z_xmm_xmmm128b32, Full Full Full, 4, true, X;
    Blend64: VEX_Vblendvpd_xmm_xmm_xmmm128_xmm EVEX_Vblendmpd_xmm_k1z_xmm_xmmm128b64, Full Full Full, 8, true, X;
    BlendWords: VEX_Vpblendw_xmm_xmm_xmmm128_imm8 _, Full Full Full, 0, true, X;
    CopyBytes: _ EVEX_Vmovdqu8_xmm_k1z_xmmm128, Full Full Full, 0, true, X;
    Copy32: _ EVEX_Vmovdqa32_xmm_k1z_xmmm128, Full Full Full, 0, false, X;
    WidenF32: VEX_Vcvtps2pd_xmm_xmmm64 EVEX_Vcvtps2pd_xmm_k1z_xmmm64b32, Full Half Half, 4, false, X;
    NarrowF64: VEX_Vcvtpd2ps_xmm_xmmm128 EVEX_Vcvtpd2ps_xmm_k1z_xmmm128b64, Half Full Full, 8, false, X;
    I32ToF32: VEX_Vcvtdq2ps_xmm_xmmm128 EVEX_Vcvtdq2ps_xmm_k1z_xmmm128b32, Full Full Full, 4, true, X;
    I32ToF64: VEX_Vcvtdq2pd_xmm_xmmm64 EVEX_Vcvtdq2pd_xmm_k1z_xmmm64b32, Full Half Half, 4, false, X;
    I64ToF32: _ EVEX_Vcvtqq2ps_xmm_k1z_xmmm128b64, Half Full Full, 8, false, X;
    I64ToF64: _ EVEX_Vcvtqq2pd_xmm_k1z_xmmm128b64, Full Full Full, 8, true, X;
    F32ToI32: VEX_Vcvttps2dq_xmm_xmmm128 EVEX_Vcvttps2dq_xmm_k1z_xmmm128b32, Full Full Full, 4, true, X;
    F64ToI32: VEX_Vcvttpd2dq_xmm_xmmm128 EVEX_Vcvttpd2dq_xmm_k1z_xmmm128b64, Half Full Full, 8, false, X;
    F64ToI64: _ EVEX_Vcvttpd2qq_xmm_k1z_xmmm128b64, Full Full Full, 8, true, X;
    WidenI32: VEX_Vpmovsxdq_xmm_xmmm64 EVEX_Vpmovsxdq_xmm_k1z_xmmm64, Full Half Half, 0, false, X;
    WidenI8: VEX_Vpmovsxbd_xmm_xmmm32 EVEX_Vpmovsxbd_xmm_k1z_xmmm32, Full Quarter Quarter, 0, false, X;
    NarrowI64: _ EVEX_Vpmovqd_xmmm64_k1z_xmm, Half Full Full, 0, false, X;
    SaturateI64: _ EVEX_Vpmovsqd_xmmm64_k1z_xmm, Half Full Full, 0, false, X;
    SaturateU64: _ EVEX_Vpmovusqd_xmmm64_k1z_xmm, Half Full Full, 0, false, X;
    PackI32: VEX_Vpackssdw_xmm_xmm_xmmm128 _, Full Full Full, 0, false, X;
    PackI16: VEX_Vpacksswb_xmm_xmm_xmmm128 _, Full Full Full, 0, false, X;
    Shuffle: VEX_Vshufps_xmm_xmm_xmmm128_imm8 EVEX_Vshufps_xmm_k1z_xmm_xmmm128b32_imm8, Full Full Full, 0, false, X;
    Permute: VEX_Vpermq_ymm_ymmm256_imm8 _, Full Full Full, 0, false, Y;
    UpperY: VEX_Vextracti128_xmmm128_ymm_imm8 _, Half Full Full, 0, false, Y;
    UpperZ: _ EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, Half Full Full, 0, false, Z;
    JoinY: VEX_Vinserti128_ymm_ymm_xmmm128_imm8 _, Full Full Half, 0, false, Y;
    JoinZ: _ EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, Full Full Half, 0, false, Z;
    MaskAnd: _ VEX_Kandw_kr_kr_kr, Mask Mask Mask, 0, false, Z;
    MaskAndNot: _ VEX_Kandnw_kr_kr_kr, Mask Mask Mask, 0, false, Z;
    MaskOr: _ VEX_Korw_kr_kr_kr, Mask Mask Mask, 0, false, Z;
    MaskXor: _ VEX_Kxorw_kr_kr_kr, Mask Mask Mask, 0, false, Z;
    MaskNot: _ VEX_Knotw_kr_kr, Mask Mask Mask, 0, false, Z;
    MaskJoin: _ VEX_Kunpckbw_kr_kr_kr, Mask Mask Mask, 0, false, Z;
    MaskShift: _ VEX_Kshiftrw_kr_kr_imm8, Mask Mask Mask, 0, false, Z;
}

/// The form of an instruction for a width; `None` if there is none.
pub(super) fn code(forms: &Forms, isa: Isa, width: Width) -> Option<Code> {
    let first = match isa {
        Isa::Avx2 => forms.vex,
        Isa::Avx512 => forms.evex,
    }?;
    let steps = (width as usize).checked_sub(forms.first as usize)?;
    form(first, steps)
}

/// The form that many steps after another.
pub(super) fn form(first: Code, steps: usize) -> Option<Code> {
    Code::try_from(first as usize + steps).ok()
}

/// The fused multiplications: by which operand is overwritten and which may be in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fused {
    /// `dst = dst * memory + b`
    F132,
    /// `dst = b * dst + memory`
    F213,
    /// `dst = b * memory + dst`
    F231,
}

/// The form of a fused multiplication.
pub(super) fn fused(form_of: Fused, double: bool, negated: bool, isa: Isa, width: Width) -> Option<Code> {
    let first = match (isa, form_of, double, negated) {
        (Isa::Avx2, Fused::F132, false, false) => Code::VEX_Vfmadd132ps_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F213, false, false) => Code::VEX_Vfmadd213ps_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F231, false, false) => Code::VEX_Vfmadd231ps_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F132, true, false) => Code::VEX_Vfmadd132pd_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F213, true, false) => Code::VEX_Vfmadd213pd_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F231, true, false) => Code::VEX_Vfmadd231pd_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F132, false, true) => Code::VEX_Vfnmadd132ps_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F213, false, true) => Code::VEX_Vfnmadd213ps_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F231, false, true) => Code::VEX_Vfnmadd231ps_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F132, true, true) => Code::VEX_Vfnmadd132pd_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F213, true, true) => Code::VEX_Vfnmadd213pd_xmm_xmm_xmmm128,
        (Isa::Avx2, Fused::F231, true, true) => Code::VEX_Vfnmadd231pd_xmm_xmm_xmmm128,
        (Isa::Avx512, Fused::F132, false, false) => Code::EVEX_Vfmadd132ps_xmm_k1z_xmm_xmmm128b32,
        (Isa::Avx512, Fused::F213, false, false) => Code::EVEX_Vfmadd213ps_xmm_k1z_xmm_xmmm128b32,
        (Isa::Avx512, Fused::F231, false, false) => Code::EVEX_Vfmadd231ps_xmm_k1z_xmm_xmmm128b32,
        (Isa::Avx512, Fused::F132, true, false) => Code::EVEX_Vfmadd132pd_xmm_k1z_xmm_xmmm128b64,
        (Isa::Avx512, Fused::F213, true, false) => Code::EVEX_Vfmadd213pd_xmm_k1z_xmm_xmmm128b64,
        (Isa::Avx512, Fused::F231, true, false) => Code::EVEX_Vfmadd231pd_xmm_k1z_xmm_xmmm128b64,
        (Isa::Avx512, Fused::F132, false, true) => Code::EVEX_Vfnmadd132ps_xmm_k1z_xmm_xmmm128b32,
        (Isa::Avx512, Fused::F213, false, true) => Code::EVEX_Vfnmadd213ps_xmm_k1z_xmm_xmmm128b32,
        (Isa::Avx512, Fused::F231, false, true) => Code::EVEX_Vfnmadd231ps_xmm_k1z_xmm_xmmm128b32,
        (Isa::Avx512, Fused::F132, true, true) => Code::EVEX_Vfnmadd132pd_xmm_k1z_xmm_xmmm128b64,
        (Isa::Avx512, Fused::F213, true, true) => Code::EVEX_Vfnmadd213pd_xmm_k1z_xmm_xmmm128b64,
        (Isa::Avx512, Fused::F231, true, true) => Code::EVEX_Vfnmadd231pd_xmm_k1z_xmm_xmmm128b64,
    };
    form(first, width as usize)
}
