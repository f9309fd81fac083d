"""Closed lists of DICOM's defined terms and of manufacturers. A value outside its list never enters a lake."""

from __future__ import annotations

# PS3.3 C.7.3.1.1.1 Modality, and terms of older editions that archives still hold.
MODALITIES = frozenset({
    "ANN", "AR", "ASMT", "AU", "BDUS", "BI", "BMD", "CD", "CF", "CFM", "CP", "CR", "CS", "CT", "CTPROTOCOL", "DD",
    "DG", "DM", "DMS", "DOC", "DS", "DX", "EC", "ECG", "EEG", "EMG", "EOG", "EPS", "ES", "FA", "FID", "FS", "GM",
    "HC",
    "HD", "IO", "IOL", "IVOCT", "IVUS", "KER", "KO", "LEN", "LP", "LS", "M3D", "MA", "MG", "MR", "MS", "NEARL", "NM",
    "OAM", "OCT", "OP", "OPM", "OPR", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "OT", "PA", "PLAN", "POS", "PR", "PT",
    "PX", "REG", "RESP", "RF", "RG", "RTDOSE", "RTIMAGE", "RTINTENT", "RTPLAN", "RTRAD", "RTRECORD", "RTSEGANN",
    "RTSTRUCT", "RWV", "SC", "SEG", "SM", "SMR", "SR", "SRF", "ST", "STAIN", "TEXTUREMAP", "TG", "US", "VA", "VF",
    "XA", "XAPROTOCOL", "XC",
})  # fmt: skip

# PS3.3 C.7.6.3.1.2 Photometric Interpretation, retired terms included.
PHOTOMETRIC = frozenset({
    "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "HSV", "ARGB", "CMYK", "YBR_FULL", "YBR_FULL_422",
    "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "XYB",
})  # fmt: skip

# PS3.3 C.7.6.1.1.2 Image Type, and the values 3 and 4 that modality modules and the large vendors define.
IMAGE_TYPES = frozenset({
    # values 1 and 2
    "ORIGINAL", "DERIVED", "MIXED", "PRIMARY", "SECONDARY",
    # CT C.8.2.1.1.1, C.8.15.2, MR C.8.3.1.1.1, C.8.13.1, PET C.8.9.1.1.1, NM C.8.4.9.1.1
    "AXIAL", "LOCALIZER", "ANGIO", "ANGIO_TIME", "CARDIAC", "CARDIAC_CASCORE", "CARDIAC_CTA", "CARDIAC_GATED",
    "ATTENUATION", "FLUOROSCOPY", "PERFUSION", "REST", "STATIC", "STRESS", "VOLUME", "WHOLE_BODY", "WHOLE BODY",
    "DENSITY MAP", "DIFFUSION MAP", "IMAGE ADDITION", "MODULUS SUBTRACT", "MPR", "OTHER", "PHASE MAP",
    "PHASE SUBTRACT",
    "PROJECTION IMAGE", "T1 MAP", "T2 MAP", "VELOCITY MAP", "ADDITION", "DIVISION", "MASKED", "MAXIMUM", "MEAN",
    "MINIMUM", "MEDIAN", "MTT", "NONE", "NON_PARALLEL", "QUANTITY", "RCBF", "RCBV", "RESAMPLED", "STD_DEVIATION",
    "SUBTRACTION", "T_TEST", "TTP", "Z_SCORE", "DIFFUSION", "DIXON", "DYNAMIC", "FLOW_ENCODED", "FLUID_ATTENUATED",
    "FMRI", "MAX_IP", "MIN_IP", "METABOLITE_MAP", "MOTION", "MULTIECHO", "M_MODE", "PARALLEL", "PROTON_DENSITY",
    "REALTIME", "STIR", "TAGGING", "TEMPERATURE", "T1", "T2", "T2_STAR", "TOF", "VELOCITY", "ADC", "ADC_UNSPECIFIED",
    "ANISO", "ATTENUATED", "CINE", "PCA", "SPECTRO", "DYNAMIC_CONTRAST_MR", "FA", "TRACEW", "TENSOR", "EXP",
    "SPIN_ECHO",
    "EMISSION", "TRANSMISSION", "GATED", "GATED TOMO", "RECON GATED TOMO", "RECON TOMO", "TOMO",
    "BOLUS", "VIRTUAL_MONOENERGETIC", "MATERIAL_SPECIFIC", "ELECTRON_DENSITY", "EFF_ATOMIC_NUM", "MIP", "MINIP",
    # projection X-ray C.8.7.1.1.1, C.8.11, RT image C.8.8.2.1, tomosynthesis C.8.21
    "SINGLE PLANE", "SINGLE A", "SINGLE B", "BIPLANE A", "BIPLANE B", "PORTAL", "SIMULATOR", "DRR", "RADIOGRAPH",
    "BLANK",
    "FLUENCE", "TOMOSYNTHESIS", "GENERATED_2D", "TOMO_PROJ", "TOMO_2D", "LEFT", "RIGHT",
    # ultrasound C.8.5.6.1.1
    "ABDOMINAL", "BREAST", "CHEST", "ENDOCAVITARY", "ENDORECTAL", "ENDOVAGINAL", "EPICARDIAL", "FETAL HEART",
    "GYNECOLOGY",
    "INTRACARDIAC", "INTRAOPERATIVE", "INTRAVASCULAR", "MUSCULOSKELETAL", "NEONATAL HEAD", "OBSTETRICAL",
    "OPHTHALMIC",
    "PEDIATRIC", "PELVIC", "RETROPERITONEAL", "SCROTAL", "SMALL PARTS", "TEE", "THYROID", "TRANSCRANIAL", "TTE",
    "US BIOPSY",
    "VASCULAR", "2D IMAGING",
    # whole slide C.8.12.4.1.1, parametric maps, captures
    "LABEL", "OVERVIEW", "THUMBNAIL", "SCREEN SAVE", "REFORMATTED", "AVERAGE", "PROCESSED", "RENDERED", "SCOUT",
    # Siemens, GE, Philips: published in their conformance statements
    "M", "P", "R", "I", "ND", "NORM", "DIS2D", "DIS3D", "FM", "FIL", "SH", "MOSAIC", "MFSPLIT", "CSA MPR", "CSA MIP",
    "CSA 3D EDITOR", "CSAPARALLEL", "CSA RESULT", "SUB", "MOCO", "COMPOSED", "COMP_SP", "COMP_AD", "CT_SOM5 SPI",
    "CT_SOM5 TOP", "CT_SOM5 SEQ", "CT_SOM5 PARALLEL", "CT_SOM5 PROT", "CT_SOM7 SPI", "M_FFE", "M_SE", "M_IR",
    "P_FFE", "P_SE",
    "R_FFE",
    "I_FFE", "PHASE", "FFE", "SE", "IR", "ADD", "PS", "NORMAL", "RT", "WATER", "FAT", "IN_PHASE", "OUT_PHASE",
    "OPP_PHASE",
    "W", "F", "IP", "OP", "REAL", "IMAGINARY", "MAGNITUDE", "COMBINED", "DIS2D_SHIM", "B0 MAP", "B1 MAP", "DOSE_INFO",
})  # fmt: skip

# PS3.16 Annex L (Body Part Examined) and table L-1: the defined terms, and common spellings of them.
BODY_PARTS = frozenset({
    "ABDOMEN", "ABDOMENPELVIS", "ADRENAL", "ANKLE", "ANUS", "AORTA", "ARM", "ARTERY", "ATLANTOAXIAL", "AXILLA",
    "BACK",
    "BILEDUCT", "BLADDER", "BODY", "BONE", "BOWEL", "BRAIN", "BREAST", "BRONCHUS", "BUTTOCK", "CALCANEUS", "CALF",
    "CAROTID", "CEREBELLUM", "CERVIX", "CHEEK", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS",
    "CIRCLEOFWILLIS", "CLAVICLE", "COCCYX", "COLON", "CORNEA", "CORONARYARTERY", "CSPINE", "CTSPINE", "DUODENUM",
    "EAR",
    "ELBOW", "ESOPHAGUS", "EXTREMITY", "EYE", "EYELID", "FACE", "FEMUR", "FETUS", "FINGER", "FLANK", "FOOT",
    "FOREARM",
    "GALLBLADDER", "GROIN", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "HUMERUS", "IAC", "ILEUM", "ILIUM", "JAW",
    "JEJUNUM", "JOINT", "KIDNEY", "KNEE", "LARYNX", "LEG", "LIVER", "LOWERLIMB", "LSPINE", "LSSPINE", "LUMEN", "LUNG",
    "LYMPHNODE", "MANDIBLE", "MAXILLA", "MEDIASTINUM", "MOUTH", "NASALBONE", "NECK", "NECKCHEST", "NECKCHESTABDOMEN",
    "NECKCHESTABDPELV", "NOSE", "ORBIT", "OVARY", "PANCREAS", "PARATHYROID", "PAROTID", "PARTIALBODY", "PATELLA",
    "PELVIS", "PELVISLOWEXTREMT", "PENIS", "PHARYNX", "PITUITARY", "PLACENTA", "PROSTATE", "RECTUM", "RETINA", "RIB",
    "SACRUM", "SCALP", "SCAPULA", "SCLERA", "SCROTUM", "SHOULDER", "SIJOINT", "SINUS", "SKULL", "SMALLINTESTINE",
    "SPINE", "SPLEEN", "SSPINE", "STERNUM", "STOMACH", "TAIL", "TESTIS", "THIGH", "THORAX", "THUMB", "THYMUS",
    "THYROID",
    "TIBIA", "TLSPINE", "TMJ", "TOE", "TONGUE", "TRACHEA", "TSPINE", "UPPERLIMB", "URETER", "URETHRA", "URINARYTRACT",
    "UTERUS", "VAGINA", "VEIN", "VULVA", "WHOLEBODY", "WHOLESPINE", "WRIST", "ZYGOMA",
})  # fmt: skip
BODY_PART_SPELLINGS = {
    "ABD": "ABDOMEN", "ABDOPELVIS": "ABDOMENPELVIS", "ABDPEL": "ABDOMENPELVIS", "ABDPELVIS": "ABDOMENPELVIS",
    "BREASTS": "BREAST", "CERVICALSPINE": "CSPINE", "CHESTABDOPELVIS": "CHESTABDPELVIS", "CHESTABDOMENPELVIS":
    "CHESTABDPELVIS", "HEADANDNECK": "HEADNECK", "KIDNEYS": "KIDNEY", "LUMBARSPINE": "LSPINE", "LUNGS": "LUNG",
    "SACRALSPINE": "SSPINE", "THORACICSPINE": "TSPINE", "THX": "THORAX", "TOTALBODY": "WHOLEBODY", "WB": "WHOLEBODY",
}  # fmt: skip

# Words of five and more letters in defined terms and enumerated values of PS3.3 that no code meaning has, and software
# that calls itself an image type.
CODE_WORDS = frozenset({
    "MEVISLAB", "OSIRIX",
    "ADMIN", "ASYMX", "ASYMY", "BACKWARD", "BANDPASS", "BELLOWS", "BILINEAR", "BIPED", "BMATRIX", "CLASSIC",
    "COMPENSATED", "CONCEPT", "CONEBEAM", "CONVERGING", "CUMULATIVE", "CYLINDRICAL", "DECAY", "DISPLAYED",
    "DIVERGING", "ECHOPLANAR", "ELLIPTICAL", "FANBEAM", "FIRSTLEVEL", "GRAPPA", "HAMMING", "HANNING", "HOLES",
    "IMAGINARY", "INFERRED", "INTERLEAVED", "ISOTROPIC", "LABELMAP", "LANDSCAPE", "LEGACY", "LOSSLESS", "MASKED",
    "MIRROR", "MONOCHROME", "MULTICOIL", "MULTIPOINT", "NAVIGATOR", "NEAREST", "NEUTRON", "NONLINEAR", "NONSTEREO",
    "OPENED", "PAIRED", "PALETTE", "PATCH", "PHOSPHOR", "PHYSIO", "PNAME", "POLYLINE", "PORTRAIT", "PRINTED",
    "PULSED", "QUADRATURE", "RECEIVE", "RECON", "RECTANGLE", "RECTILINEAR", "REMASK", "RESAMPLED", "RIESZ",
    "SAMPLED", "SCHEDULED", "SCINTILLATOR", "SCOORD", "SCOUT", "SECONDLEVEL", "SEMIAUTOMATIC", "SLANT", "SLSENS",
    "SORTED", "SPARSE", "SPOILED", "SPOILING", "STACKS", "STEPPED", "SUBTRACTED", "TCOORD", "TILED", "TRILINEAR",
    "UIDREF", "UNAPPROVED", "UNCOMPENSATED", "UNCOMPLETED", "UNDEFINED", "UNMODIFIED", "UNPAIRED", "UNVERIFIED",
})  # fmt: skip

# PS3.3 C.7.3.1 Laterality and C.8.7.x Image Laterality: right, left, both, unpaired.
LATERALITIES = frozenset({"R", "L", "B", "U"})

# PS3.3 C.8.1.2 (CR), C.8.11.5 (DX: CID 4010 in code form) View Position, and mammography views of CID 4014.
VIEWS = frozenset({
    "AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "LAT", "LATERAL", "OBLIQUE", "AXIAL", "DECUBITUS",
    "CC", "MLO", "ML", "LM", "LMO", "XCC", "XCCL", "XCCM", "FB", "SIO", "ISO", "AT", "CV", "TAN",
})  # fmt: skip

SEXES = frozenset({"M", "F", "O"})  # PS3.3 C.7.1.1
BURNED_IN = frozenset({"YES", "NO"})  # PS3.3 C.7.6.1

# A manufacturer is known by a word of its name; whatever else the value says is dropped.
MANUFACTURERS = {
    "siemens": "SIEMENS", "ge": "GE", "genesis": "GE", "philips": "PHILIPS", "adac": "PHILIPS", "picker": "PHILIPS",
    "atl": "PHILIPS", "toshiba": "TOSHIBA", "canon": "CANON", "hitachi": "HITACHI", "shimadzu": "SHIMADZU",
    "fujifilm": "FUJIFILM", "fuji": "FUJIFILM", "agfa": "AGFA", "kodak": "CARESTREAM", "carestream": "CARESTREAM",
    "konica": "KONICA MINOLTA", "hologic": "HOLOGIC", "lorad": "HOLOGIC", "mindray": "MINDRAY", "samsung": "SAMSUNG",
    "medison": "SAMSUNG", "esaote": "ESAOTE", "acuson": "SIEMENS", "sonosite": "SONOSITE", "aloka": "HITACHI",
    "supersonic": "HOLOGIC", "bruker": "BRUKER", "elekta": "ELEKTA", "varian": "VARIAN", "accuray": "ACCURAY",
    "tomotherapy": "ACCURAY", "brainlab": "BRAINLAB", "united": "UNITED IMAGING", "uih": "UNITED IMAGING",
    "neusoft": "NEUSOFT", "elscint": "ELSCINT", "marconi": "PHILIPS", "mim": "MIM", "cms": "ELEKTA", "cti": "SIEMENS",
    "cps": "SIEMENS", "marquette": "GE", "vieworks": "VIEWORKS", "planmed": "PLANMED", "planmeca": "PLANMECA",
    "ziehm": "ZIEHM", "zeiss": "ZEISS", "topcon": "TOPCON", "heidelberg": "HEIDELBERG", "optos": "OPTOS",
    "mediso": "MEDISO", "swissray": "SWISSRAY", "dexcowin": "DEXCOWIN", "terarecon": "TERARECON", "vital": "CANON",
    "pie": "PIE MEDICAL", "biosense": "BIOSENSE", "butterfly": "BUTTERFLY", "clarius": "CLARIUS",
    "hyperfine": "HYPERFINE",
    "sectra": "SECTRA", "leica": "LEICA", "hamamatsu": "HAMAMATSU", "aperio": "LEICA", "ventana": "ROCHE",
    "roche": "ROCHE",
    "qiicr": "QIICR", "offis": "OFFIS", "slicer": "SLICER", "pixelmed": "PIXELMED",
}  # fmt: skip

# PS3.6 Annex A, newer than the table that pydicom 3.0 carries: label map and height map segmentation, deflated frames.
NEWER_UIDS = frozenset({
    "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.66.8", "1.2.840.10008.1.2.8.1",
})  # fmt: skip

# Kinds of objects that makers name in their conformance statements; as lists of DCMTK and dcm4che have them.
PRIVATE_CLASSES = frozenset({
    "1.2.392.200036.9116.7.8.1.1.1", "1.2.840.113619.4.2", "1.2.840.113619.4.26", "1.2.840.113619.4.27",
    "1.2.840.113619.4.3", "1.2.840.113619.4.30", "1.2.840.113619.4.4", "1.2.840.113619.4.5.249", "1.3.12.2.1107.5.9.1",
    "1.3.12.2.1107.5.99.3.10", "1.3.12.2.1107.5.99.3.11", "1.3.46.670589.11.0.0.12.1", "1.3.46.670589.11.0.0.12.2",
    "1.3.46.670589.11.0.0.12.4", "1.3.46.670589.2.3.1.1", "1.3.46.670589.2.4.1.1", "1.3.46.670589.2.5.1.1",
    "1.3.46.670589.5.0.1", "1.3.46.670589.5.0.1.1", "1.3.46.670589.5.0.10", "1.3.46.670589.5.0.11",
    "1.3.46.670589.5.0.11.1", "1.3.46.670589.5.0.12", "1.3.46.670589.5.0.13", "1.3.46.670589.5.0.14",
    "1.3.46.670589.5.0.2", "1.3.46.670589.5.0.2.1", "1.3.46.670589.5.0.3", "1.3.46.670589.5.0.3.1",
    "1.3.46.670589.5.0.4", "1.3.46.670589.5.0.8", "1.3.46.670589.5.0.9", "1.3.46.670589.7.8.1618509",
})  # fmt: skip
